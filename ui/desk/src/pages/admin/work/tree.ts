// The reasons as rows of a tree, and what may be moved where.
import type { Reason } from '@steward/api'

export interface ReasonRow extends Reason { depth: number; name: string; first: boolean; last: boolean; children: number }

export function reasonRows(reasons: readonly Reason[], chinese: boolean, parent: string | null = null, depth = 0): ReasonRow[] {
  const level = reasons.filter((reason) => reason.parent_id === parent).sort((a, b) => a.position - b.position || a.id.localeCompare(b.id))
  return level.flatMap((reason, index) => {
    const below = reasonRows(reasons, chinese, reason.id, depth + 1)
    const name = chinese ? reason.name_zh || reason.name_en : reason.name_en || reason.name_zh
    return [{ ...reason, depth, name, first: index === 0, last: index === level.length - 1, children: below.length }, ...below]
  })
}

/** The reason itself and everything below it: none of them may become its parent. */
export function within(reasons: readonly Reason[], id: string): Set<string> {
  const found = new Set([id])
  for (let grew = true; grew; ) {
    grew = false
    for (const reason of reasons) if (reason.parent_id && found.has(reason.parent_id) && !found.has(reason.id)) grew = !!found.add(reason.id)
  }
  return found
}

/** New positions of the siblings after one moved up or down; only those that change. */
export function reordered(reasons: readonly Reason[], row: Reason, by: -1 | 1): { id: string; position: number }[] {
  const level = reasons.filter((reason) => reason.parent_id === row.parent_id).sort((a, b) => a.position - b.position || a.id.localeCompare(b.id))
  const at = level.findIndex((reason) => reason.id === row.id)
  const other = level[at + by]
  if (!other) return []
  const next = level.map((reason) => (reason.id === row.id ? other : reason.id === other.id ? (level[at] ?? reason) : reason))
  return next.map((reason, position) => ({ id: reason.id, position })).filter((entry) => level.find((reason) => reason.id === entry.id)?.position !== entry.position)
}
