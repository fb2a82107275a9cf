// Lists, one case, its timeline: reading, and changing what the cache shows before the server has answered.
import { ApiError, type Case, type CaseRow, type Entry, type Page } from '@steward/api'
import { useInfiniteQuery, useQuery, type InfiniteData } from '@tanstack/vue-query'
import { computed, type MaybeRefOrGetter, toValue } from 'vue'
import { api, queryClient } from '../../../query'

export interface ListWish {
  view: string
  q: string
  sort: string
  /** Filter tree as JSON text; empty = the view's own. */
  filter: string
}

const LIST_LIMIT = 50
const TIMELINE_LIMIT = 60

export function useCaseList(wish: MaybeRefOrGetter<ListWish>) {
  const query = useInfiniteQuery({
    queryKey: computed(() => ['cases', toValue(wish)]),
    queryFn: ({ pageParam, signal }) => api.get<Page<CaseRow>>('/api/cases', { ...toValue(wish), cursor: pageParam, limit: LIST_LIMIT }, signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: (before, beforeQuery) => (beforeQuery?.queryKey[1] === toValue(wish) ? before : undefined),
  })
  const rows = computed(() => {
    const seen = new Set<string>()
    // A row may move between two pages while they are read; it is shown once.
    return (query.data.value?.pages ?? []).flatMap((page) => page.items).filter((row) => !seen.has(row.id) && seen.add(row.id))
  })
  const state = computed(() => {
    if (query.isPending.value) return 'loading' as const
    if (query.isError.value && !query.data.value) return query.error.value instanceof ApiError && query.error.value.status === 403 ? ('denied' as const) : ('error' as const)
    return rows.value.length ? ('ready' as const) : ('empty' as const)
  })
  return { query, rows, state }
}

export function useCase(id: MaybeRefOrGetter<string | undefined>) {
  return useQuery({
    queryKey: computed(() => ['case', toValue(id)]),
    queryFn: ({ signal }) => api.get<Case>(`/api/cases/${toValue(id)}`, {}, signal),
    enabled: computed(() => !!toValue(id)),
    retry: false,
  })
}

export type TimelineData = InfiniteData<Page<Entry>, string>

export function useTimeline(id: MaybeRefOrGetter<string | undefined>) {
  const query = useInfiniteQuery({
    queryKey: computed(() => ['timeline', toValue(id)]),
    queryFn: ({ pageParam, signal }) => api.get<Page<Entry>>(`/api/cases/${toValue(id)}/timeline`, { cursor: pageParam, limit: TIMELINE_LIMIT }, signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.next ?? undefined,
    enabled: computed(() => !!toValue(id)),
  })
  // The first page is the newest; inside a page the newest is last.
  const entries = computed(() => [...(query.data.value?.pages ?? [])].reverse().flatMap((page) => page.items))
  return { query, entries }
}

/** Changes a case wherever it is shown. */
export function patchCase(id: string, patch: Partial<Case>): void {
  queryClient.setQueryData<Case>(['case', id], (now) => now && { ...now, ...patch })
  queryClient.setQueriesData<InfiniteData<Page<CaseRow>>>({ queryKey: ['cases'] }, (now) => now && {
    ...now,
    pages: now.pages.map((page) => ({ ...page, items: page.items.map((row) => (row.id === id ? { ...row, ...patch } : row)) })),
  })
}

/** Takes over a case the server answered with; other answers are ignored. */
export function acceptCase(answer: unknown): void {
  const found = answer as Case | undefined
  if (found?.id && found.can) patchCase(found.id, found)
}

export function caseOf(id: string): Case | undefined {
  return queryClient.getQueryData<Case>(['case', id])
}

export function refreshCase(id: string): void {
  for (const key of [['case', id], ['timeline', id], ['view-counts']]) void queryClient.invalidateQueries({ queryKey: key })
}

/** Puts an entry at the end of a timeline, or changes the message with the same id. */
export function putEntry(caseId: string, entry: Entry & { type: 'message' }): void {
  queryClient.setQueryData<TimelineData>(['timeline', caseId], (now) => {
    const [newest, ...older] = now?.pages ?? []
    if (!now || !newest) return now
    const others = newest.items.filter((item) => item.type !== 'message' || item.message.id !== entry.message.id)
    return { ...now, pages: [{ ...newest, items: [...others, entry] }, ...older] }
  })
}

export function dropMessage(caseId: string, messageId: string): void {
  queryClient.setQueryData<TimelineData>(['timeline', caseId], (now) => now && {
    ...now,
    pages: now.pages.map((page) => ({ ...page, items: page.items.filter((item) => item.type !== 'message' || item.message.id !== messageId) })),
  })
}

export function prefetchCase(id: string): void {
  void queryClient.prefetchQuery({ queryKey: ['case', id], queryFn: () => api.get<Case>(`/api/cases/${id}`) })
  void queryClient.prefetchInfiniteQuery({ queryKey: ['timeline', id], queryFn: () => api.get<Page<Entry>>(`/api/cases/${id}/timeline`, { limit: TIMELINE_LIMIT }), initialPageParam: '' })
}
