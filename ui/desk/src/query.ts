import { ApiError, Client } from '@steward/api'
import { QueryClient } from '@tanstack/vue-query'

const signedOut = new Set<() => void>()
const enrolmentDemanded = new Set<() => void>()

export const api = new Client({ client: 'desk', onSignedOut: () => signedOut.forEach((listener) => listener()), onEnrolmentDemanded: () => enrolmentDemanded.forEach((listener) => listener()) })

export function onSignedOut(listener: () => void): void {
  signedOut.add(listener)
}

export function onEnrolmentDemanded(listener: () => void): void {
  enrolmentDemanded.add(listener)
}

/** The server's state as this page knows it. The live stream tells what went stale, so nothing is polled. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      refetchOnWindowFocus: false,
      retry: (count, cause) => count < 1 && cause instanceof ApiError && cause.status >= 500,
    },
  },
})
