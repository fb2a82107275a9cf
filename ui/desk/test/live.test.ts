import type { LiveEvent, LivePoll } from '@steward/api'
import { describe, expect, it } from 'vitest'
import { BLOCKED_AFTER, FIRST_PAUSE_MS, LiveConnection, MAX_PAUSE_MS, POLL_MS, SILENCE_MS, TOKEN_KEY, type Socket } from '../src/live/connection'

/** Own clock, own sockets: the connection is driven step by step. */
function world(polls: (LivePoll | Error)[] = []) {
  let now = 0
  let timers: { at: number; run: () => void }[] = []
  const sockets: (Socket & { sent: string[]; closed: boolean })[] = []
  const store = new Map<string, string>()
  const log: string[] = []
  const connection = new LiveConnection({
    open: () => {
      const socket = { sent: [] as string[], closed: false, send: (text: string) => void socket.sent.push(text), close: () => void (socket.closed = true), onopen: null, onmessage: null, onclose: null }
      sockets.push(socket)
      return socket
    },
    poll: async (resume) => {
      log.push(`poll ${resume}`)
      const answer = polls.shift()
      if (!answer || answer instanceof Error) throw answer ?? new Error('down')
      return answer
    },
    now: () => now,
    later: (run, millis) => {
      const timer = { at: now + millis, run }
      timers.push(timer)
      return () => void (timers = timers.filter((other) => other !== timer))
    },
    random: () => 0.5,
    storage: { getItem: (key) => store.get(key) ?? null, setItem: (key, value) => void store.set(key, value), removeItem: (key) => void store.delete(key) },
    onState: (state) => log.push(state),
    onContact: () => undefined,
    onEvent: (event) => log.push(`event ${event.kind}`),
    onSignal: (signal) => log.push(`signal ${signal.kind}`),
    onRefetch: () => log.push('refetch'),
    onServerTime: (at) => log.push(`time ${at}`),
  })
  const advance = async (millis: number) => {
    const end = now + millis
    await new Promise((done) => setTimeout(done))
    for (;;) {
      const next = timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0]
      if (!next) break
      timers = timers.filter((timer) => timer !== next)
      now = next.at
      next.run()
      await new Promise((done) => setTimeout(done))
    }
    now = end
  }
  const last = () => {
    const socket = sockets.at(-1)
    if (!socket) throw new Error('no socket')
    return socket
  }
  const say = (frame: object) => last().onmessage?.({ data: JSON.stringify(frame) })
  const fail = () => last().onclose?.({ code: 1006 })
  return { connection, sockets, store, log, advance, last, say, fail, pending: () => timers.map((timer) => timer.at - now) }
}
const event = (token: string): LiveEvent => ({ t: 'event', token, kind: 'case.assigned', subject_kind: 'case', subject_id: 'c', case_id: 'c', actor: 'system', at: '' })

describe('live connection', () => {
  it('resumes from the last token it saw', async () => {
    const { connection, store, last, say, fail, advance, log } = world()
    connection.start()
    last().onopen?.()
    expect(JSON.parse(last().sent[0] ?? '')).toEqual({ t: 'hello', resume: null, csrf: 'desk' })
    say({ t: 'ready', token: 't1' })
    say(event('t2'))
    say({ t: 'beat', now: '2026-11-22T08:00:00Z', token: 't3' })
    expect(store.get(TOKEN_KEY)).toBe('t3')
    fail()
    await advance(FIRST_PAUSE_MS)
    last().onopen?.()
    expect(JSON.parse(last().sent[0] ?? '').resume).toBe('t3')
    expect(log).toEqual(['connecting', 'live', 'event case.assigned', 'time 2026-11-22T08:00:00Z', 'connecting', 'connecting'])
  })

  it('tells the server again what is being viewed after a reconnect', async () => {
    const { connection, last, say, fail, advance } = world()
    connection.start()
    connection.view('case-1')
    expect(last().sent).toEqual([])
    say({ t: 'ready', token: 't' })
    expect(last().sent.at(-1)).toBe('{"t":"viewing","case_id":"case-1"}')
    fail()
    await advance(FIRST_PAUSE_MS)
    say({ t: 'ready', token: 't' })
    expect(last().sent.at(-1)).toBe('{"t":"viewing","case_id":"case-1"}')
  })

  it('polls when sockets never open, and tries a socket again later', async () => {
    const polls = Array.from({ length: 10 }, (_, index) => ({ token: `p${index}`, events: index === 0 ? [event('p0')] : [], refetch: index === 1 }))
    const { connection, log, fail, advance, sockets } = world(polls)
    connection.start()
    for (let failure = 1; failure < BLOCKED_AFTER; failure += 1) {
      fail()
      await advance(MAX_PAUSE_MS)
    }
    fail()
    await advance(POLL_MS)
    expect(log.slice(-4)).toEqual(expect.arrayContaining(['polling', 'refetch']))
    expect(log).toContain('event case.assigned')
    const before = sockets.length
    await advance(POLL_MS * 10)
    expect(sockets.length).toBe(before + 1)
  })

  it('says offline when nothing answers, and backs off', async () => {
    const { connection, log, fail, advance, pending } = world()
    connection.start()
    fail()
    await advance(FIRST_PAUSE_MS)
    fail()
    await advance(FIRST_PAUSE_MS * 2)
    fail()
    await advance(0)
    await new Promise((done) => setTimeout(done))
    expect(log.at(-1)).toBe('offline')
    expect(pending()).toEqual([FIRST_PAUSE_MS * 4])
  })

  it('takes silence for a dead line, and a wake-up for a reason to look', async () => {
    const { connection, sockets, say, advance } = world()
    connection.start()
    say({ t: 'ready', token: 't' })
    await advance(SILENCE_MS - 1)
    expect(sockets).toHaveLength(1)
    await advance(1)
    expect(sockets[0]?.closed).toBe(true)
    expect(sockets).toHaveLength(2)
    connection.wake()
    expect(sockets).toHaveLength(3)
    say({ t: 'ready', token: 't' })
    connection.wake()
    expect(sockets).toHaveLength(3)
  })

  it('forgets the token and stays silent once stopped', async () => {
    const { connection, sockets, store, say, fail, advance } = world()
    connection.start()
    say({ t: 'ready', token: 't' })
    connection.stop()
    fail()
    await advance(MAX_PAUSE_MS * 2)
    expect(store.size).toBe(0)
    expect(sockets).toHaveLength(1)
  })
})
