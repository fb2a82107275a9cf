// Saved and built-in views with their live counts.
import type { Items, View, ViewSort } from '@steward/api'
import { useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed } from 'vue'
import { useI18n } from 'vue-i18n'
import { api } from '../../../query'

/** The built-in views, in the order an agent needs them. */
export const BUILTIN = ['mine', 'unassigned', 'team', 'all_open', 'waiting', 'snoozed', 'solved', 'all'] as const
/** The server counts no further. */
const COUNT_MAX = 1000
export const SORTS: ViewSort[] = ['waiting', 'newest', 'oldest', 'priority']

export function useViews() {
  const { t, te } = useI18n()
  const client = useQueryClient()
  const query = useQuery({ queryKey: ['views'], queryFn: () => api.get<Items<View>>('/api/views') })
  const counted = useQuery({ queryKey: ['view-counts'], queryFn: () => api.get<{ counts: Record<string, number> }>('/api/views/counts') })
  const views = computed(() => query.data.value?.items ?? [])
  /** A built-in view's name is ours to translate; a saved one is what its maker called it. */
  const nameOf = (view: View): string => (te(`desk.view.${view.id}`) ? t(`desk.view.${view.id}`) : view.name)
  const groups = computed(() => {
    const of = (scope: View['scope'][]) => views.value.filter((view) => scope.includes(view.scope))
    const builtin = of(['builtin']).sort((a, b) => BUILTIN.indexOf(a.id as never) - BUILTIN.indexOf(b.id as never))
    return [
      { id: 'builtin', label: t('desk.views.builtin'), views: builtin },
      { id: 'mine', label: t('desk.views.mine'), views: of(['mine']) },
      { id: 'shared', label: t('desk.views.shared'), views: of(['team', 'shared']) },
    ].filter((group) => group.views.length > 0)
  })

  async function save(input: { name: string; scope: View['scope']; team_id: string | null; filter: View['filter']; sort: ViewSort }): Promise<View> {
    const view = await api.post<View>('/api/views', input)
    await client.invalidateQueries({ queryKey: ['views'] })
    return view
  }
  async function remove(view: View): Promise<void> {
    await api.delete(`/api/views/${view.id}`)
    await client.invalidateQueries({ queryKey: ['views'] })
  }
  const countOf = (view: View): string | null => {
    const count = counted.data.value?.counts[view.id] ?? view.count
    if (count === null || count === undefined) return null
    return count >= COUNT_MAX ? `${COUNT_MAX - 1}+` : String(count)
  }
  return { query, views, groups, nameOf, countOf, save, remove }
}
