// The one way to the server. Every write carries a key made before the first try, so a repeated request does its work
// once; that is why a write may be repeated here when the network failed.
import { newId } from './id'
import { ApiError, problemOf } from './problem'

export interface RequestOptions {
  query?: Record<string, string | number | boolean | null | undefined>
  body?: unknown
  /** Idempotency key; made here when left out. */
  key?: string
  signal?: AbortSignal
}

export interface ClientSettings {
  /** Value of the header that proves the request comes from our own page. */
  client: string
  fetch?: typeof fetch
  wait?: (millis: number) => Promise<void>
  /** Called when the session is no longer valid. */
  onSignedOut?: () => void
  /** Called when the company demands a second step that this person has not set up. */
  onEnrolmentDemanded?: () => void
}

/** Waits before the second and third try of a request that the network lost. */
const RETRY_MS = [400, 1600]

export function queryString(query: RequestOptions['query'] = {}): string {
  const entries = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '')
  return entries.length ? `?${new URLSearchParams(entries.map(([key, value]) => [key, String(value)]))}` : ''
}

export class Client {
  private readonly settings: ClientSettings

  constructor(settings: ClientSettings) {
    this.settings = settings
  }

  get<T>(path: string, query?: RequestOptions['query'], signal?: AbortSignal): Promise<T> {
    return this.send<T>('GET', path, { ...(query ? { query } : {}), ...(signal ? { signal } : {}) })
  }
  /** A text as it stands: the source of a mail. */
  text(path: string): Promise<string> {
    return this.send<string>('GET', path, {}, (text) => text)
  }
  post<T>(path: string, body?: unknown, options: RequestOptions = {}): Promise<T> {
    return this.send<T>('POST', path, { ...options, body })
  }
  put<T>(path: string, body?: unknown, options: RequestOptions = {}): Promise<T> {
    return this.send<T>('PUT', path, { ...options, body })
  }
  patch<T>(path: string, body?: unknown, options: RequestOptions = {}): Promise<T> {
    return this.send<T>('PATCH', path, { ...options, body })
  }
  delete<T>(path: string, body?: unknown, options: RequestOptions = {}): Promise<T> {
    return this.send<T>('DELETE', path, { ...options, body })
  }

  /** Uploads one file as the multipart field `file`. */
  upload<T>(path: string, file: File, signal?: AbortSignal): Promise<T> {
    const form = new FormData()
    form.append('file', file, file.name)
    return this.send<T>('POST', path, { body: form, ...(signal ? { signal } : {}) })
  }

  private async send<T>(method: string, path: string, options: RequestOptions, read: (text: string) => unknown = JSON.parse): Promise<T> {
    const init = this.init(method, options)
    const url = path + queryString(options.query)
    const response = await this.reach(url, init)
    if (!response.ok) {
      const problem = await problemOf(response)
      if (response.status === 401) this.settings.onSignedOut?.()
      else if (problem.code === 'totp_enrollment_required') this.settings.onEnrolmentDemanded?.()
      throw problem
    }
    if (response.status === 204 || response.status === 202) return undefined as T
    const text = await response.text()
    return (text ? read(text) : undefined) as T
  }

  private init(method: string, options: RequestOptions): RequestInit {
    const headers: Record<string, string> = { accept: 'application/json', 'x-steward-client': this.settings.client }
    if (method !== 'GET') headers['idempotency-key'] = options.key ?? newId()
    let body: BodyInit | undefined
    if (options.body instanceof FormData) body = options.body
    else if (options.body !== undefined) {
      headers['content-type'] = 'application/json'
      body = JSON.stringify(options.body)
    }
    return { method, headers, credentials: 'same-origin', ...(body === undefined ? {} : { body }), ...(options.signal ? { signal: options.signal } : {}) }
  }

  private async reach(url: string, init: RequestInit): Promise<Response> {
    const wait = this.settings.wait ?? ((millis) => new Promise((done) => setTimeout(done, millis)))
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await (this.settings.fetch ?? fetch)(url, init)
      } catch (cause) {
        if (init.signal?.aborted) throw cause
        const pause = RETRY_MS[attempt]
        if (pause === undefined) throw new ApiError(0, 'network')
        await wait(pause)
      }
    }
  }
}
