// Everything an agent does to a case besides writing. The page shows the result at once; a refusal puts the old value
// back and says why. What was done can be undone by the same way.
import type { Case, CaseRow, Named, Priority, Status, WaitingOn } from '@steward/api'
import { useToasts } from '@steward/kit'
import { useI18n } from 'vue-i18n'
import { api } from '../../../query'
import { useSession } from '../../../session'
import { useRefusalToast } from '../../../words'
import { acceptCase, patchCase, refreshCase } from './cases'

interface Change {
  patch: Partial<Case>
  request: () => Promise<unknown>
  /** What was wanted, for the refusal: "Priority not changed". */
  failed: string
  /** What was done; silent when left out. */
  done?: string
  undo?: () => void
}

let lastUndo: (() => void) | null = null

export function useCaseActions() {
  const { t } = useI18n()
  const toasts = useToasts()
  const refused = useRefusalToast()
  const { me } = useSession()

  async function change(row: CaseRow, wish: Change): Promise<boolean> {
    const before = Object.fromEntries(Object.keys(wish.patch).map((key) => [key, row[key as keyof CaseRow]])) as Partial<Case>
    patchCase(row.id, wish.patch)
    try {
      acceptCase(await wish.request())
    } catch (cause) {
      patchCase(row.id, before)
      refused(cause, wish.failed)
      return false
    } finally {
      refreshCase(row.id)
    }
    lastUndo = wish.undo ?? null
    // Only the last thing done can be taken back, so only that is offered.
    if (wish.done) toasts.show({ kind: 'ok', text: wish.done, slot: 'undo', ...(wish.undo ? { action: { label: t('desk.undo'), keys: 'u', run: undoLast } } : {}) })
    return true
  }

  function undoLast(): void {
    const undo = lastUndo
    lastUndo = null
    toasts.clear('undo')
    if (undo) undo()
    else toasts.show({ text: t('desk.nothing_to_undo') })
  }

  function setStatus(row: CaseRow, status: 'open' | 'waiting' | 'solved' | 'closed', waiting_on?: WaitingOn, quiet = false): Promise<boolean> {
    return change(row, {
      patch: { status, waiting_on: waiting_on ?? null, snoozed_until: null },
      request: () => api.post(`/api/cases/${row.id}/status`, { status, ...(waiting_on ? { waiting_on } : {}) }),
      failed: t('desk.failed.status', { number: row.number }),
      ...(quiet ? {} : { done: t('desk.done.status', { number: row.number, status: t(`kit.status.${status}`) }), undo: () => void restoreStatus({ ...row, status }, row) }),
    })
  }
  function restoreStatus(row: CaseRow, before: CaseRow): Promise<boolean> {
    if (before.status === 'snoozed' && before.snoozed_until) return snooze(row, new Date(before.snoozed_until), true)
    const back: Exclude<Status, 'new' | 'snoozed'> = before.status === 'new' || before.status === 'snoozed' ? 'open' : before.status
    return setStatus(row, back, before.waiting_on ?? undefined, true)
  }

  function snooze(row: CaseRow, until: Date, quiet = false): Promise<boolean> {
    const at = until.toISOString()
    return change(row, {
      patch: { status: 'snoozed', snoozed_until: at },
      request: () => api.post(`/api/cases/${row.id}/snooze`, { until: at }),
      failed: t('desk.failed.snooze', { number: row.number }),
      ...(quiet ? {} : { done: t('desk.done.snooze', { number: row.number }), undo: () => void restoreStatus({ ...row, status: 'snoozed' }, row) }),
    })
  }

  function assign(row: CaseRow, to: { assignee: Named | null; team: Named | null; note?: string }, quiet = false): Promise<boolean> {
    return change(row, {
      patch: { assignee: to.assignee, team: to.team },
      request: () => api.post(`/api/cases/${row.id}/assign`, { assignee: to.assignee?.id ?? null, team: to.team?.id ?? null, ...(to.note ? { note: to.note } : {}) }),
      failed: t('desk.failed.assign', { number: row.number }),
      ...(quiet ? {} : {
        done: t('desk.done.assign', { number: row.number, to: to.assignee?.name ?? to.team?.name ?? t('desk.nobody') }),
        undo: () => void assign({ ...row, assignee: to.assignee, team: to.team }, { assignee: row.assignee, team: row.team }, true),
      }),
    })
  }

  function pick(row: CaseRow): Promise<boolean> {
    const self = me.value
    if (!self) return Promise.resolve(false)
    return change(row, {
      patch: { assignee: { id: self.id, name: self.name } },
      request: () => api.post(`/api/cases/${row.id}/pick`),
      failed: t('desk.failed.assign', { number: row.number }),
      done: t('desk.done.picked', { number: row.number }),
      undo: () => void assign({ ...row, assignee: { id: self.id, name: self.name } }, { assignee: row.assignee, team: row.team }, true),
    })
  }

  type Editable = { subject?: string; priority?: Priority; reason_id?: string | null; tags?: string[]; language?: string | null }
  function edit(row: CaseRow, body: Editable, patch: Partial<Case>, undoBody?: Editable, undoPatch?: Partial<Case>): Promise<boolean> {
    return change(row, {
      patch,
      request: () => api.patch(`/api/cases/${row.id}`, body),
      failed: t('desk.failed.edit', { number: row.number }),
      ...(undoBody && undoPatch ? { done: t('desk.done.edit', { number: row.number }), undo: () => void edit({ ...row, ...patch }, undoBody, undoPatch) } : {}),
    })
  }
  const setPriority = (row: CaseRow, priority: Priority) => edit(row, { priority }, { priority }, { priority: row.priority }, { priority: row.priority })
  const setTags = (row: CaseRow, tags: string[]) => edit(row, { tags }, { tags })
  const setSubject = (row: CaseRow, subject: string) => edit(row, { subject }, { subject }, { subject: row.subject }, { subject: row.subject })
  const setReason = (row: CaseRow, reason: CaseRow['reason']) => edit(row, { reason_id: reason?.id ?? null }, { reason }, { reason_id: row.reason?.id ?? null }, { reason: row.reason })
  const setLanguage = (row: CaseRow, language: string | null) => edit(row, { language }, { language })

  /** What the undo key takes back from now on. */
  function remember(undo: () => void): void {
    lastUndo = undo
    toasts.clear('undo')
  }

  /** Clears the unread mark for this agent; not worth a message when it fails. */
  function seen(row: CaseRow): void {
    if (!row.unread) return
    patchCase(row.id, { unread: false })
    void api.post(`/api/cases/${row.id}/seen`).catch(() => patchCase(row.id, { unread: true }))
  }
  return { setStatus, snooze, assign, pick, setPriority, setTags, setReason, setSubject, setLanguage, seen, undoLast, remember }
}
