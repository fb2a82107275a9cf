// One line of the history in words: "Li Na assigned this to Wang Fang".
import type { EventActor } from '@steward/api'
import type { Names } from './lookups'
import { customerName } from './names'

type Translate = (key: string, params?: Record<string, unknown>) => string
type Data = Record<string, unknown>

/** The event's own names come first: they also know who has left since. */
export function withNames(names: Names, own: Record<string, string> = {}): Names {
  const first = (find: (id: unknown) => string | undefined) => (id: unknown) => own[String(id)] ?? find(id)
  return { agent: first(names.agent), team: first(names.team), reason: names.reason }
}

function named(value: unknown, find: (id: unknown) => string | undefined): string | undefined {
  if (value && typeof value === 'object' && 'name' in value) return String((value as { name: unknown }).name)
  return value ? (find(value) ?? undefined) : undefined
}

function statusText(data: Data, t: Translate): string {
  const status = data['status']
  const key = typeof status === 'string' ? status : String((status as Data | undefined)?.['status'] ?? data['to'] ?? 'open')
  return t(`kit.status.${key}`)
}

function assignedText(data: Data, t: Translate, names: Names, who: string, actor: EventActor): string {
  const agent = named(data['assignee'], names.agent)
  const team = named(data['team'], names.team)
  const to = agent ?? team
  const note = data['note'] ? `: ${String(data['note'])}` : ''
  if (data['by'] === 'pick' || data['by'] === 'answer') return t('desk.event.picked', { who: agent ?? who })
  if (!to && data['by'] === 'released') return t('desk.event.released')
  if (!to) return t('desk.event.unassigned', { who })
  if (data['by'] === 'routing' || (actor.kind === 'system' && data['by'] !== 'answer')) return t('desk.event.routed', { to })
  const self = actor.id !== null && (data['assignee'] === actor.id || (data['assignee'] as Data | null)?.['id'] === actor.id)
  return self ? t('desk.event.picked', { who }) : t('desk.event.assigned', { who, to }) + note
}

function editedText(data: Data, t: Translate, names: Names, who: string): string {
  const edit = (data['edit'] as Data | undefined) ?? data
  if (typeof edit['priority'] === 'string') return t('desk.event.priority', { who, to: t(`kit.priority.${edit['priority']}`) })
  if (edit['reason'] ?? edit['reason_id']) return t('desk.event.reason', { who, to: named(edit['reason'] ?? edit['reason_id'], names.reason) ?? '' })
  if (Array.isArray(edit['tags'])) return t('desk.event.tags', { who, to: edit['tags'].join(', ') || '–' })
  if (typeof edit['subject'] === 'string') return t('desk.event.subject', { who, to: edit['subject'] })
  return t('desk.event.edited', { who })
}

export function actorName(actor: EventActor, t: Translate): string {
  if (actor.kind === 'customer') return customerName(actor, t)
  return actor.name || (actor.kind === 'system' ? t('desk.system') : t('desk.somebody'))
}

export function eventText(kind: string, data: Data, actor: EventActor, t: Translate, names: Names): string {
  const who = actorName(actor, t)
  switch (kind) {
    case 'case.opened':
      return t('desk.event.opened', { who })
    case 'case.status_changed':
      return t('desk.event.status', { who, to: statusText(data, t) })
    case 'case.assigned':
      return assignedText(data, t, names, who, actor)
    case 'case.edited':
      return editedText(data, t, names, who)
    case 'case.conversation_joined':
      return t('desk.event.joined', { channel: t(`desk.channel.${String(data['channel_kind'] ?? 'api')}`) })
    case 'case.message_cancelled':
      return t('desk.event.cancelled', { who })
    case 'case.message_moved_out':
      return t('desk.event.moved_out', { who })
    case 'case.message_moved_in':
      return t('desk.event.moved_in', { who })
    default:
      return t('desk.event.other', { who, kind })
  }
}

/** Facts that a message in the timeline shows already. */
export function isShownElsewhere(kind: string): boolean {
  return ['case.message_received', 'case.message_sent', 'case.note_added', 'case.delivery_changed'].includes(kind)
}
