// Who else is looking at or writing in a case right now.
import type { LiveEvent, LiveSignal } from '@steward/api'
import { useNow } from '@steward/kit'
import { useI18n } from 'vue-i18n'
import { onScopeDispose, shallowReactive, watch, type MaybeRefOrGetter, toValue } from 'vue'
import { useLiveEvents, useLiveSignals, useLiveStore } from '../../../live/store'
import { useSession } from '../../../session'
import { customerName } from './names'

export interface Attendee {
  id: string
  name: string
  kind: 'agent' | 'customer'
  writing: boolean
}

interface Seen extends LiveSignal {
  until: number
  writingUntil: number
}

/** A viewer who closed the lid never says goodbye. */
const VIEWING_MS = 90_000
const WRITING_MS = 6_000
const OWN_TYPING_MS = 3_000
const seen = shallowReactive(new Map<string, Map<string, Seen>>())

export function note(signal: LiveSignal, now: number): void {
  if (!signal.case_id) return
  const people = new Map(seen.get(signal.case_id))
  const writing = signal.kind === 'typing' || signal.kind === 'composing'
  if (signal.kind === 'left') people.delete(signal.who.id)
  else if (signal.kind === 'viewing' || writing) people.set(signal.who.id, { ...signal, until: now + (signal.who.kind === 'customer' ? WRITING_MS : VIEWING_MS), writingUntil: writing ? now + WRITING_MS : 0 })
  seen.set(signal.case_id, people)
}

/** Who has just sent something is no longer writing. */
export function noteDone(event: Pick<LiveEvent, 'case_id' | 'actor'>): void {
  const people = event.case_id ? seen.get(event.case_id) : undefined
  const id = event.actor.split(':')[1] ?? ''
  const entry = people?.get(id)
  if (!event.case_id || !people || !entry?.writingUntil) return
  seen.set(event.case_id, new Map(people).set(id, { ...entry, writingUntil: 0 }))
}

export function useAttendance() {
  const { t } = useI18n()
  const now = useNow()
  const { me } = useSession()
  useLiveSignals((signal) => note(signal, now.value))
  useLiveEvents(noteDone)
  return {
    inCase: (caseId: string): Attendee[] =>
      [...(seen.get(caseId)?.values() ?? [])]
        .filter((entry) => entry.until > now.value && entry.who.id !== me.value?.id)
        .map((entry) => ({ id: entry.who.id, name: entry.who.kind === 'customer' ? customerName(entry.who, t) : entry.who.name, kind: entry.who.kind, writing: entry.writingUntil > now.value })),
  }
}

/** Tells the others which case this agent has open, and when they write. */
export function useOwnAttendance(caseId: MaybeRefOrGetter<string | undefined>) {
  const live = useLiveStore()
  let told = 0
  let toldNote = false
  watch(() => toValue(caseId), (id) => live.view(id ?? null), { immediate: true })
  onScopeDispose(() => live.view(null))
  return {
    typing: (isNote: boolean) => {
      const id = toValue(caseId)
      // A reply after a note is news to the customer at once.
      if (!id || (isNote === toldNote && Date.now() - told < OWN_TYPING_MS)) return
      told = Date.now()
      toldNote = isNote
      live.typing(id, isNote)
    },
  }
}
