// The page's one stream of what happens. It resumes where it stopped (the server's token), so that sleep, a lost network
// or a restart leave no gap; where sockets are blocked it asks every few seconds instead. It knows no framework:
// everything it touches is handed in, so that tests drive it with their own clock and socket.
import type { LiveEvent, LiveFrame, LivePoll, LiveSignal } from '@steward/api'

export type LiveState = 'connecting' | 'live' | 'polling' | 'offline'

export interface Socket {
  send: (text: string) => void
  close: () => void
  onopen: (() => void) | null
  onmessage: ((event: { data: unknown }) => void) | null
  onclose: ((event: { code: number }) => void) | null
}

export interface LiveOptions {
  open: () => Socket
  poll: (resume: string | null) => Promise<LivePoll>
  now: () => number
  later: (run: () => void, millis: number) => () => void
  random: () => number
  storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>
  onState: (state: LiveState) => void
  /** Any sign of the server; the page computes from it how far it is behind. */
  onContact: (at: number) => void
  onEvent: (event: LiveEvent) => void
  onSignal: (signal: LiveSignal) => void
  /** What was missed can't be told one by one: ask for everything again. */
  onRefetch: () => void
  onServerTime: (now: string) => void
}

export const TOKEN_KEY = 'steward.live.token'
export const FIRST_PAUSE_MS = 500
export const MAX_PAUSE_MS = 30_000
export const POLL_MS = 3_000
/** The server beats more often than this; silence this long means the line is dead though nobody said so. */
export const SILENCE_MS = 45_000
/** Failures in a row, without one opening, after which sockets count as blocked. */
export const BLOCKED_AFTER = 3

export class LiveConnection {
  private readonly options: LiveOptions
  private socket: Socket | null = null
  private cancel: (() => void) | null = null
  private failures = 0
  private everReady = false
  private running = false
  private lastContact = 0
  private viewing: string | null = null

  constructor(options: LiveOptions) {
    this.options = options
  }

  start(): void {
    if (this.running) return
    this.running = true
    this.connect()
  }

  stop(): void {
    this.running = false
    this.drop()
    this.options.storage.removeItem(TOKEN_KEY)
    this.options.onState('offline')
  }

  /** The computer woke up or the network came back: no reason to wait any longer. */
  wake(): void {
    if (!this.running) return
    if (this.socket && this.options.now() - this.lastContact < SILENCE_MS / 2) return
    this.failures = 0
    this.drop()
    this.connect()
  }

  view(caseId: string | null): void {
    this.viewing = caseId
    this.send({ t: 'viewing', case_id: caseId })
  }

  typing(caseId: string, note: boolean): void {
    this.send({ t: 'typing', case_id: caseId, note })
  }

  private get token(): string | null {
    return this.options.storage.getItem(TOKEN_KEY)
  }

  private send(frame: Record<string, unknown>): void {
    if (this.socket && this.everReady) this.socket.send(JSON.stringify(frame))
  }

  private drop(): void {
    this.cancel?.()
    this.cancel = null
    const socket = this.socket
    this.socket = null
    if (socket) {
      socket.onclose = null
      socket.onmessage = null
      socket.close()
    }
    this.everReady = false
  }

  private connect(): void {
    this.options.onState(this.failures >= BLOCKED_AFTER ? 'polling' : 'connecting')
    const socket = this.options.open()
    this.socket = socket
    socket.onopen = () => socket.send(JSON.stringify({ t: 'hello', resume: this.token, csrf: 'desk' }))
    socket.onmessage = (event) => this.receive(String(event.data))
    socket.onclose = () => this.closed()
  }

  private receive(text: string): void {
    let frame: LiveFrame
    try {
      frame = JSON.parse(text) as LiveFrame
    } catch {
      return
    }
    this.contact()
    if ('token' in frame && frame.token) this.options.storage.setItem(TOKEN_KEY, frame.token)
    if (frame.t === 'ready') this.ready()
    else if (frame.t === 'event') this.options.onEvent(frame)
    else if (frame.t === 'signal') this.options.onSignal(frame)
    else if (frame.t === 'refetch') this.options.onRefetch()
    else if (frame.t === 'beat') {
      this.options.onServerTime(frame.now)
      this.send({ t: 'pong' })
    }
  }

  private ready(): void {
    this.failures = 0
    this.everReady = true
    this.options.onState('live')
    if (this.viewing) this.view(this.viewing)
  }

  private contact(): void {
    this.lastContact = this.options.now()
    this.options.onContact(this.lastContact)
    this.cancel?.()
    this.cancel = this.options.later(() => this.silent(), SILENCE_MS)
  }

  private silent(): void {
    this.drop()
    this.failures += 1
    this.connect()
  }

  private closed(): void {
    this.drop()
    if (!this.running) return
    this.failures += 1
    if (this.failures >= BLOCKED_AFTER) void this.pollOnce()
    else {
      this.options.onState('connecting')
      this.retryIn(this.pause())
    }
  }

  private pause(): number {
    const pause = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.failures - 1))
    return pause * (0.7 + this.options.random() * 0.6)
  }

  private retryIn(millis: number): void {
    this.cancel?.()
    this.cancel = this.options.later(() => this.connect(), millis)
  }

  /** Every tenth poll tries a socket again, in case only the network was away. */
  private async pollOnce(): Promise<void> {
    try {
      const answer = await this.options.poll(this.token)
      if (!this.running || this.socket) return
      this.options.storage.setItem(TOKEN_KEY, answer.token)
      this.lastContact = this.options.now()
      this.options.onContact(this.lastContact)
      this.options.onState('polling')
      answer.events.forEach((event) => this.options.onEvent(event))
      if (answer.refetch) this.options.onRefetch()
    } catch {
      if (!this.running || this.socket) return
      this.options.onState('offline')
      return this.retryIn(this.pause())
    }
    this.failures += 1
    this.cancel?.()
    this.cancel = this.options.later(() => (this.failures % 10 === 0 ? this.connect() : void this.pollOnce()), POLL_MS)
  }
}
