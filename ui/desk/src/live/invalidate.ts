// Which queries an event makes stale. Frames carry no contents, so the page asks again for what it shows; a burst of
// events asks once.
import type { LiveEvent } from '@steward/api'
import type { QueryClient, QueryKey } from '@tanstack/vue-query'

const GATHER_MS = 60
const pending = new Map<string, QueryKey>()
let timer: ReturnType<typeof setTimeout> | undefined

export function staleKeys(event: LiveEvent): QueryKey[] {
  const keys: QueryKey[] = []
  if (event.case_id) keys.push(['case', event.case_id], ['timeline', event.case_id], ['assignments', event.case_id], ['cases'], ['view-counts'])
  if (event.subject_kind === 'customer') keys.push(['customer', event.subject_id], ['customers'])
  if (event.kind.startsWith('agent.')) keys.push(['presence'])
  // A changed setting of any kind: {object} is part of the kind or of the subject, e.g. "channel", "reason", "canned".
  if (event.kind.startsWith('config.')) keys.push([event.subject_kind], [`${event.subject_kind}s`], ['views'])
  if (event.kind.startsWith('access.')) keys.push(['users'], ['teams'], ['roles'], ['invitations'])
  return keys
}

export function invalidateFor(client: QueryClient, event: LiveEvent): void {
  for (const key of staleKeys(event)) pending.set(JSON.stringify(key), key)
  timer ??= setTimeout(() => {
    timer = undefined
    const keys = [...pending.values()]
    pending.clear()
    for (const queryKey of keys) void client.invalidateQueries({ queryKey })
  }, GATHER_MS)
}
