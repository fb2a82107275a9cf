// The keys of the desk: one list, from which the `?` overlay and the palette are fed as well.
import type { CaseRow } from '@steward/api'
import { useShortcuts, type Shortcut } from '@steward/kit'
import type { Ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { useSession } from '../../../session'
import { useCaseActions } from './actions'

export type ActionKind = 'assign' | 'status' | 'tags' | 'priority' | 'reason' | 'snooze' | 'canned'

export interface DeskKeys {
  subject: Ref<CaseRow | undefined>
  isOpen: () => boolean
  action: Ref<ActionKind | null>
  move: (by: number) => void
  next: () => void
  open: () => void
  close: () => void
  compose: (mode: 'reply' | 'note') => void
  search: () => void
  create: () => void
}

export function useDeskKeys(desk: DeskKeys): void {
  const { t } = useI18n()
  const { can } = useSession()
  const actions = useCaseActions()
  const has = () => desk.subject.value !== undefined
  const withSubject = (run: (row: CaseRow) => void) => () => {
    const row = desk.subject.value
    if (row) run(row)
  }
  type Entry = Omit<Shortcut, 'scope'>
  const list = (id: string, keys: string, run: () => void, more: Partial<Entry> = {}): Entry => ({ id, keys, run, label: () => t(`desk.key.${id}`), group: () => t('desk.group.list'), ...more })
  const onCase = (id: string, keys: string, run: () => void, more: Partial<Entry> = {}): Entry => ({ id, keys, run, label: () => t(`desk.key.${id}`), group: () => t('desk.group.case'), when: has, ...more })
  const choose = (kind: ActionKind, keys: string): Entry => onCase(kind, keys, () => (desk.action.value = kind))

  async function resolveAndNext(row: CaseRow): Promise<void> {
    desk.next()
    await actions.setStatus(row, 'solved')
  }
  useShortcuts('desk', [
    list('down', 'j', () => desk.move(1), { hidden: true }),
    list('up', 'k', () => desk.move(-1), { hidden: true }),
    list('open', 'Enter', desk.open, { hidden: true, when: () => !desk.isOpen() && document.activeElement === document.body }),
    list('close', 'Escape', desk.close, { hidden: true, when: desk.isOpen }),
    list('search', '/', desk.search),
    list('create', 'c', desk.create, { when: () => can('case.create') }),
    onCase('reply', 'r', () => desk.compose('reply'), { when: desk.isOpen }),
    onCase('note', 'n', () => desk.compose('note'), { when: desk.isOpen }),
    choose('assign', 'a'),
    onCase('pick', 'i', withSubject((row) => void actions.pick(row))),
    choose('status', 's'),
    choose('tags', 't'),
    choose('priority', 'p'),
    choose('reason', 'y'),
    onCase('solve', 'e', withSubject((row) => void resolveAndNext(row))),
    choose('snooze', 'z'),
    onCase('canned', 'm', () => (desk.action.value = 'canned'), { when: desk.isOpen }),
    onCase('undo', 'u', actions.undoLast, { when: () => true }),
  ])
}
