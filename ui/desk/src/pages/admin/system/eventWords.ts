// What an event of the audit trail says, in the reader's words; an unknown one shows its own name.
import { useI18n } from 'vue-i18n'
import type { AuditItem } from '../data/shapes'

export interface Difference { field: string; before: unknown; after: unknown }

const plain = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Only what differs between before and after; `path` joins nested names with dots. */
export function differences(before: unknown, after: unknown, path = ''): Difference[] {
  if (!plain(before) && !plain(after)) return JSON.stringify(before ?? null) === JSON.stringify(after ?? null) ? [] : [{ field: path, before, after }]
  const [old, now] = [plain(before) ? before : {}, plain(after) ? after : {}]
  return [...new Set([...Object.keys(old), ...Object.keys(now)])].flatMap((key) => differences(old[key], now[key], path ? `${path}.${key}` : key))
}

export function useEventWords() {
  const { t, te } = useI18n()
  const or = (key: string, text: string) => (te(key) ? t(key) : text)
  const object = (kind: string) => or(`admin.object.${kind}`, kind)
  function what(item: AuditItem): string {
    const [area, thing, action] = item.kind.split('.')
    if (area === 'config' && thing && action) return t('admin.audit.configured', { object: object(thing), action: or(`admin.action.${action}`, action) })
    return or(`admin.event.${item.kind.replace('.', '_')}`, item.kind)
  }
  function name(item: AuditItem): string {
    const { before, after, name: own } = item.data as { before?: unknown; after?: unknown; name?: unknown }
    for (const part of [after, before]) {
      if (!plain(part)) continue
      const found = part['name'] ?? part['title'] ?? part['name_zh'] ?? part['email']
      if (typeof found === 'string') return found
    }
    return typeof own === 'string' ? own : ''
  }
  /** A field by its name in words, part by part; a part without a word keeps its own. */
  const field = (path: string) => path.split('.').map((part) => or(`admin.field.${part}`, part)).join(' · ')
  function value(path: string, held: unknown): string {
    if (held === null || held === undefined || held === '') return '–'
    if (typeof held === 'boolean') return t(held ? 'admin.yes' : 'admin.no')
    if (typeof held !== 'string') return JSON.stringify(held)
    return path === 'presence' ? or(`kit.presence.${held}`, held) : held
  }
  const who = (item: AuditItem) => item.actor.name ?? t(`admin.actor.${item.actor.kind}`)
  return { what, name, who, object, field, value }
}
