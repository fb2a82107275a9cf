// Which queries an event makes stale. Frames carry no contents, so the page asks again for what it shows; a burst of
// events asks once.
import type { LiveEvent } from '@steward/api'
import type { InfiniteData, Query, QueryClient, QueryKey } from '@tanstack/vue-query'

/** What is open on screen follows at once; lists and counts of a busy desk at most this often. */
export const NEAR_MS = 40
export const FAR_MS = 700
/** A list read this far down is asked for page by page again, so it follows more slowly. */
export const DEEP_PAGES = 4
export const DEEP_MS = 15_000
const FAR = new Set<unknown>(['cases', 'view-counts', 'customers', 'presence'])

const pending = { near: new Map<string, QueryKey>(), far: new Map<string, QueryKey>() }
type Timer = ReturnType<typeof setTimeout> | undefined
const timers: { near?: Timer; far?: Timer; deep?: Timer } = {}
const isDeep = (query: Query) => ((query.state.data as Partial<InfiniteData<unknown>> | undefined)?.pages?.length ?? 0) > DEEP_PAGES

/** Queries that show a configured thing, by its name in the event's kind. */
const CONFIGURED: Record<string, string[]> = {
  canned_reply: ['canned'], reason: ['reasons'], view: ['views', 'view-counts'], team: ['teams', 'users', 'me'], user: ['users', 'agents', 'me'], role: ['roles', 'users', 'me'],
  skill: ['skills', 'users'], channel: ['channels', 'channel', 'contact-channels'], workspace: ['workspace', 'me'],
}

export function staleKeys(event: LiveEvent): QueryKey[] {
  const keys: QueryKey[] = []
  if (event.case_id) keys.push(['case', event.case_id], ['timeline', event.case_id], ['assignments', event.case_id], ['cases'], ['view-counts'])
  if (event.subject_kind === 'customer') keys.push(['customer', event.subject_id], ['customers'])
  if (event.kind.startsWith('agent.')) keys.push(['presence'], ['me'])
  if (event.kind.startsWith('config.')) keys.push(...(CONFIGURED[event.kind.split('.')[1] ?? ''] ?? [event.subject_kind, `${event.subject_kind}s`]).map((key) => [key]))
  if (event.kind.startsWith('access.')) keys.push(['users'], ['teams'], ['roles'], ['invitations'])
  return keys
}

function refresh(client: QueryClient, queryKey: QueryKey): void {
  const deep = FAR.has(queryKey[0]) && client.getQueryCache().findAll({ queryKey, type: 'active' }).some(isDeep)
  void client.invalidateQueries({ queryKey, ...(deep ? { predicate: (query) => !isDeep(query) } : {}) })
  if (!deep) return
  timers.deep ??= setTimeout(() => {
    timers.deep = undefined
    for (const list of FAR) void client.invalidateQueries({ queryKey: [list], predicate: isDeep })
  }, DEEP_MS)
}

export function invalidateFor(client: QueryClient, event: LiveEvent): void {
  for (const key of staleKeys(event)) {
    const lane = FAR.has(key[0]) ? 'far' : 'near'
    pending[lane].set(JSON.stringify(key), key)
    timers[lane] ??= setTimeout(() => {
      timers[lane] = undefined
      const keys = [...pending[lane].values()]
      pending[lane].clear()
      for (const queryKey of keys) refresh(client, queryKey)
    }, lane === 'far' ? FAR_MS : NEAR_MS)
  }
}
