// Arranges the entries of a timeline for reading: days, runs of one speaker, and folded runs of small events.
import type { Entry } from '@steward/api'
import { isShownElsewhere } from './eventText'

type MessageEntry = Entry & { type: 'message' }
type EventEntry = Entry & { type: 'event' }
export type Block =
  | { kind: 'day'; key: string; at: string }
  | { kind: 'message'; key: string; entry: MessageEntry; continued: boolean }
  | { kind: 'events'; key: string; entries: EventEntry[] }

const RUN_MS = 5 * 60_000

function dayOf(at: string, zone?: string): string {
  return new Intl.DateTimeFormat('en-CA', { year: 'numeric', month: '2-digit', day: '2-digit', ...(zone ? { timeZone: zone } : {}) }).format(Date.parse(at))
}

export function blocks(entries: readonly Entry[], zone?: string): Block[] {
  const out: Block[] = []
  let day = ''
  let previous: MessageEntry | null = null
  let own = ''
  for (const entry of entries) {
    if (entry.type === 'event' && isShownElsewhere(entry.kind)) continue
    // The first conversation is the case itself; only one that joins later is news.
    if (entry.type === 'event' && entry.kind === 'case.conversation_joined' && entry.at === own) continue
    if (entry.type === 'event' && entry.kind === 'case.opened') own = entry.at
    const today = dayOf(entry.at, zone)
    if (today !== day) {
      out.push({ kind: 'day', key: `day-${today}`, at: entry.at })
      day = today
      previous = null
    }
    if (entry.type === 'message') {
      out.push({ kind: 'message', key: entry.message.id, entry, continued: previous !== null && continues(previous, entry) })
      previous = entry
      continue
    }
    const last = out.at(-1)
    if (last?.kind === 'events') last.entries.push(entry)
    else out.push({ kind: 'events', key: `event-${entry.kind}-${entry.at}-${out.length}`, entries: [entry] })
    previous = null
  }
  return out
}

/** Chat lines of one person within five minutes read as one; every mail stands alone. */
function continues(before: MessageEntry, now: MessageEntry): boolean {
  const [a, b] = [before.message, now.message]
  return b.channel_kind === 'webchat' && a.channel_kind === 'webchat' && a.note === b.note && a.author.kind === b.author.kind && a.author.id === b.author.id
    && a.conversation_id === b.conversation_id && Date.parse(b.at) - Date.parse(a.at) < RUN_MS
}
