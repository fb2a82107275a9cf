import type { LiveEvent, LivePoll, LiveSignal } from '@steward/api'
import { setClockOffset, useNow } from '@steward/kit'
import { defineStore } from 'pinia'
import { computed, onScopeDispose, ref } from 'vue'
import { api, queryClient } from '../query'
import { LiveConnection, type LiveState, type Socket } from './connection'
import { invalidateFor } from './invalidate'

const events = new Set<(event: LiveEvent) => void>()
const signals = new Set<(signal: LiveSignal) => void>()

function openSocket(): Socket {
  const url = new URL('/api/live', location.href)
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:'
  return new WebSocket(url) as unknown as Socket
}

export const useLiveStore = defineStore('live', () => {
  const state = ref<LiveState>('connecting')
  const contact = ref(Date.now())
  const now = useNow()
  const behind = computed(() => Math.max(0, Math.round((now.value - contact.value) / 1000)))
  const connection = new LiveConnection({
    open: openSocket,
    poll: (resume) => api.get<LivePoll>('/api/live/poll', { resume }),
    now: Date.now,
    later: (run, millis) => {
      const timer = setTimeout(run, millis)
      return () => clearTimeout(timer)
    },
    random: Math.random,
    storage: sessionStorage,
    onState: (next) => {
      state.value = next
      // Being connected is part of the own presence.
      if (next === 'live') void queryClient.invalidateQueries({ queryKey: ['me'] })
    },
    onContact: () => (contact.value = now.value),
    onEvent: (event) => {
      invalidateFor(queryClient, event)
      events.forEach((listener) => listener(event))
    },
    onSignal: (signal) => signals.forEach((listener) => listener(signal)),
    onRefetch: () => void queryClient.invalidateQueries({ predicate: (query) => query.queryKey[0] !== 'me' }),
    onServerTime: (at) => setClockOffset(Date.parse(at) - Date.now()),
  })
  const wake = () => document.visibilityState === 'visible' && connection.wake()

  function start(): void {
    connection.start()
    window.addEventListener('online', wake)
    document.addEventListener('visibilitychange', wake)
  }
  function stop(): void {
    connection.stop()
    window.removeEventListener('online', wake)
    document.removeEventListener('visibilitychange', wake)
  }
  return { state, behind, start, stop, view: (id: string | null) => connection.view(id), typing: (id: string, note: boolean) => connection.typing(id, note) }
})

/** Listens while the component lives. */
export function useLiveEvents(listener: (event: LiveEvent) => void): void {
  events.add(listener)
  onScopeDispose(() => events.delete(listener))
}

export function useLiveSignals(listener: (signal: LiveSignal) => void): void {
  signals.add(listener)
  onScopeDispose(() => signals.delete(listener))
}
