// What the palette offers: every registered key of this page, what pages add, and what the server finds.
import type { CaseRow, Page } from '@steward/api'
import { useShortcutRegistry, type Command } from '@steward/kit'
import { useStorage } from '@vueuse/core'
import { computed, onScopeDispose, ref, shallowReactive, shallowRef } from 'vue'
import { useI18n } from 'vue-i18n'
import { useRouter } from 'vue-router'
import { api } from '../query'
import { useSession } from '../session'

const MAX_RECENT = 8
const SEARCH_PAUSE_MS = 180
const sources = shallowReactive(new Set<() => Command[]>())

/** A page's own commands, offered while the page is open. */
export function useCommands(source: () => Command[]): void {
  sources.add(source)
  onScopeDispose(() => sources.delete(source))
}

export function usePalette() {
  const { t } = useI18n()
  const router = useRouter()
  const registry = useShortcutRegistry()
  const { can } = useSession()
  const open = ref(false)
  const help = ref(false)
  const recent = useStorage<string[]>('steward.palette.recent', [])
  const found = shallowRef<Command[]>([])
  const loading = ref(false)
  let timer: ReturnType<typeof setTimeout> | undefined
  let asked = 0

  const commands = computed<Command[]>(() => {
    if (!open.value) return []
    const keyed = registry.active().filter((shortcut) => !shortcut.hidden)
    const fromKeys = keyed.map((shortcut) => ({ id: shortcut.id, label: shortcut.label(), group: shortcut.group(), keys: shortcut.keys, run: () => shortcut.run() }))
    return [...fromKeys, ...[...sources].flatMap((source) => source())]
  })

  async function ask(text: string): Promise<void> {
    const mine = ++asked
    loading.value = true
    try {
      const page = await api.get<Page<CaseRow>>('/api/cases', { view: 'all', q: text, limit: 8 })
      if (mine === asked) {
        found.value = page.items.map((row) => ({ id: `case-${row.id}`, label: `#${row.number} ${row.subject}`, hint: row.customer.name, group: t('shell.found_cases'), run: () => void router.push(`/desk/all/${row.id}`) }))
      }
    } catch {
      if (mine === asked) found.value = []
    } finally {
      if (mine === asked) loading.value = false
    }
  }
  function search(text: string): void {
    clearTimeout(timer)
    found.value = []
    if (text.trim().length < 2 || !can('case.read')) return
    timer = setTimeout(() => void ask(text.trim()), SEARCH_PAUSE_MS)
  }
  function remember(id: string): void {
    recent.value = [id, ...recent.value.filter((entry) => entry !== id)].slice(0, MAX_RECENT)
  }
  onScopeDispose(() => clearTimeout(timer))
  return { open, help, commands, recent, found, loading, search, remember }
}
