// The simple filters of the list header, as the server's filter tree and back. A tree that says more than the header can
// show (an imported or hand-made view) is kept as it is.
import type { ChannelKind, Filter, Priority, Status } from '@steward/api'

export interface SimpleFilter {
  status: Status[]
  priority: Priority[]
  channel_kind: ChannelKind[]
  assignee: string | null
  team: string | null
  reason: string | null
  tag: string | null
  unanswered: boolean
}

export const NO_FILTER: SimpleFilter = { status: [], priority: [], channel_kind: [], assignee: null, team: null, reason: null, tag: null, unanswered: false }

export function toTree(simple: SimpleFilter): Filter {
  const all: Filter[] = []
  for (const key of ['status', 'priority', 'channel_kind'] as const) if (simple[key].length) all.push({ [key]: simple[key] })
  for (const key of ['assignee', 'team', 'reason', 'tag'] as const) if (simple[key]) all.push({ [key]: simple[key] })
  if (simple.unanswered) all.push({ unanswered: true })
  return { all }
}

/** Null when the tree is more than these filters can say. */
export function fromTree(tree: Filter | null | undefined): SimpleFilter | null {
  const all = tree && 'all' in tree ? tree['all'] : tree && Object.keys(tree).length === 0 ? [] : null
  if (!Array.isArray(all)) return null
  const simple: SimpleFilter = { ...NO_FILTER }
  for (const part of all as Filter[]) {
    const [key, value] = Object.entries(part)[0] ?? []
    if (!key || Object.keys(part).length !== 1 || !(key in NO_FILTER)) return null
    Object.assign(simple, { [key]: value })
  }
  return simple
}

export function isEmpty(simple: SimpleFilter): boolean {
  return (toTree(simple)['all'] as Filter[]).length === 0
}

export function filterText(simple: SimpleFilter): string {
  return isEmpty(simple) ? '' : JSON.stringify(toTree(simple))
}

export function parseFilter(text: unknown): SimpleFilter {
  if (typeof text !== 'string' || !text) return { ...NO_FILTER }
  try {
    return fromTree(JSON.parse(text) as Filter) ?? { ...NO_FILTER }
  } catch {
    return { ...NO_FILTER }
  }
}
