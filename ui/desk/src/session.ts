// Who is signed in, and what the server says they may do.
import { ApiError, type Me } from '@steward/api'
import { useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'
import { api, queryClient } from './query'

const ME = ['me']
const HINT = 'steward.signed-in'

/** The cookie can't be read here. This remembers that somebody was signed in, so that the sign-in page asks the server only then. */
function hint(signedIn: boolean): void {
  try {
    if (signedIn) localStorage.setItem(HINT, '1')
    else localStorage.removeItem(HINT)
  } catch {
    // Without storage the sign-in page just asks for the password.
  }
}

export function wasSignedIn(): boolean {
  try {
    return localStorage.getItem(HINT) !== null
  } catch {
    return false
  }
}

export function loadMe(): Promise<Me | null> {
  return queryClient.ensureQueryData({ queryKey: ME, staleTime: Number.POSITIVE_INFINITY, queryFn: fetchMe })
}

async function fetchMe(): Promise<Me | null> {
  try {
    const me = await api.get<Me>('/api/me')
    hint(true)
    return me
  } catch (cause) {
    if (cause instanceof ApiError && cause.status === 401) {
      hint(false)
      return null
    }
    throw cause
  }
}

/** After sign-in, set-up or a change of the own account: the answer is the new truth. */
export function setMe(me: Me | null): void {
  hint(me !== null)
  queryClient.setQueryData(ME, me)
}

/** Forgets everything this person saw. */
export function forgetSession(): void {
  queryClient.clear()
  setMe(null)
}

export function useSession() {
  const query = useQuery({ queryKey: ME, queryFn: fetchMe, staleTime: Number.POSITIVE_INFINITY })
  const me = computed(() => query.data.value ?? null)
  return {
    me,
    refresh: () => queryClient.invalidateQueries({ queryKey: ME }),
    /** Only decides what is offered; the server decides what is done. */
    can: (permission: string) => me.value !== null && (me.value.is_owner || me.value.permissions.includes(permission)),
  }
}

export async function neededSetup(): Promise<boolean> {
  return (await api.get<{ needed: boolean }>('/api/setup')).needed
}
