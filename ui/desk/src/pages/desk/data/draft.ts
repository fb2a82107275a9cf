// What an agent has begun to write, kept by the server per agent and case, so that it is there on the next device and
// after a crash.
import type { Attachment, Draft } from '@steward/api'
import { onScopeDispose, reactive, ref, watch } from 'vue'
import { api } from '../../../query'

export interface DraftContent {
  text: string
  html: string
  note: boolean
  attachments: Attachment[]
}

const SAVE_PAUSE_MS = 700
export type DraftState = 'clean' | 'unsaved' | 'saving' | 'saved' | 'failed'

const flushers = new Map<string, () => Promise<void>>()

/** Writes what is not yet saved of a case's draft; before the server itself changes that draft. */
export function flushDraft(caseId: string): Promise<void> {
  return flushers.get(caseId)?.() ?? Promise.resolve()
}

export function useDraft(caseId: string) {
  const content = reactive<DraftContent>({ text: '', html: '', note: false, attachments: [] })
  const state = ref<DraftState>('clean')
  const loaded = ref(false)
  let timer: ReturnType<typeof setTimeout> | undefined
  let quiet = false
  let known = ''
  /** One save at a time, in order: an older text never overwrites a newer one. */
  let saving: Promise<void> = Promise.resolve()
  const print = () => JSON.stringify([content.text.trim(), content.html, content.note, content.attachments.map((file) => file.id)])
  const isEmpty = () => !content.text.trim() && content.attachments.length === 0

  function set(next: Partial<DraftContent>): void {
    quiet = true
    Object.assign(content, { text: '', html: '', note: content.note, attachments: [] }, next)
    known = print()
    state.value = 'clean'
    queueMicrotask(() => (quiet = false))
  }
  async function load(replace = false): Promise<void> {
    const draft = await api.get<Draft | undefined>(`/api/cases/${caseId}/draft`).catch(() => undefined)
    // Somebody who types faster than the network keeps what they typed.
    if (draft && (replace || isEmpty())) set({ text: draft.text ?? '', html: draft.html ?? '', note: draft.note === true, attachments: draft.attachments ?? [] })
    loaded.value = true
  }
  function save(): Promise<void> {
    return (saving = saving.then(saveNow))
  }
  async function saveNow(): Promise<void> {
    clearTimeout(timer)
    const print0 = print()
    if (print0 === known) return
    state.value = 'saving'
    try {
      if (isEmpty()) await api.delete(`/api/cases/${caseId}/draft`)
      else await api.put(`/api/cases/${caseId}/draft`, { text: content.text, html: content.html, note: content.note, attachments: content.attachments.map((file) => file.id) })
      known = print0
      state.value = print() === print0 ? 'saved' : 'unsaved'
    } catch {
      state.value = 'failed'
      timer = setTimeout(() => void save(), SAVE_PAUSE_MS * 8)
    }
  }
  /** After sending: the server dropped its copy with the reply, here nothing must write it again. */
  function clear(): void {
    clearTimeout(timer)
    set({ note: content.note })
  }
  watch(content, () => {
    if (quiet || print() === known) return
    state.value = 'unsaved'
    clearTimeout(timer)
    timer = setTimeout(() => void save(), SAVE_PAUSE_MS)
  })
  flushers.set(caseId, save)
  onScopeDispose(() => {
    if (flushers.get(caseId) === save) flushers.delete(caseId)
    if (state.value === 'unsaved') void save()
  })
  /** Resolves when no save is on its way any more. */
  const settled = () => saving
  return { content, state, settled, loaded, load, save, set, clear, isEmpty }
}
