import { describe, expect, it, vi } from 'vitest'
import { ApiError, Client, newId, queryString } from '../src'

const answer = (status: number, body?: unknown) => new Response(body === undefined ? null : JSON.stringify(body), { status })
const setUp = (...answers: (Response | Error)[]) => {
  const calls: [string, RequestInit][] = []
  const fetch = vi.fn(async (url: string, init: RequestInit) => {
    calls.push([url, init])
    const next = answers.shift()
    if (next instanceof Error || !next) throw next ?? new TypeError('no answer')
    return next
  })
  const onSignedOut = vi.fn()
  const waits: number[] = []
  const client = new Client({ client: 'desk', fetch: fetch as unknown as typeof globalThis.fetch, wait: async (millis) => void waits.push(millis), onSignedOut })
  return { client, calls, onSignedOut, waits }
}
const header = (init: RequestInit | undefined, name: string) => (init?.headers as Record<string, string> | undefined)?.[name]

describe('client', () => {
  it('marks every request and gives writes a key', async () => {
    const { client, calls } = setUp(answer(200, { ok: true }), answer(204))
    expect(await client.get('/api/x', { q: 'a b', empty: '', none: null })).toEqual({ ok: true })
    expect(await client.post('/api/y', { a: 1 })).toBeUndefined()
    expect(calls[0]?.[0]).toBe('/api/x?q=a+b')
    expect(header(calls[0]?.[1], 'idempotency-key')).toBeUndefined()
    expect(header(calls[1]?.[1], 'x-steward-client')).toBe('desk')
    expect(header(calls[1]?.[1], 'idempotency-key')).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('repeats a lost write with the same key, then gives up', async () => {
    const lost = new TypeError('failed to fetch')
    const { client, calls, waits } = setUp(lost, answer(200, {}))
    await client.post('/api/x', {})
    expect(header(calls[0]?.[1], 'idempotency-key')).toBe(header(calls[1]?.[1], 'idempotency-key'))
    const second = setUp(lost, lost, lost)
    await expect(second.client.post('/api/x')).rejects.toMatchObject({ status: 0, code: 'network' })
    expect(waits).toEqual([400])
    expect(second.calls).toHaveLength(3)
  })

  it('turns problem documents and foreign pages into errors', async () => {
    const problem = { code: 'case_closed', params: { number: 7 }, fields: { text: { code: 'too_long', params: { max: 10 } } } }
    const { client, onSignedOut } = setUp(answer(409, problem), new Response('<html>', { status: 502 }), answer(401, { code: 'signed_out' }))
    const first = await client.get('/api/x').catch((cause: ApiError) => cause)
    expect(first).toMatchObject({ status: 409, ...problem })
    await expect(client.get('/api/x')).rejects.toMatchObject({ code: 'unexpected_answer', params: { status: 502 } })
    expect(onSignedOut).not.toHaveBeenCalled()
    await expect(client.get('/api/x')).rejects.toMatchObject({ status: 401 })
    expect(onSignedOut).toHaveBeenCalledOnce()
  })
})

describe('small things', () => {
  it('makes ids without a secure origin', () => {
    const random = crypto.randomUUID
    Object.defineProperty(crypto, 'randomUUID', { value: undefined, configurable: true })
    expect(newId()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    Object.defineProperty(crypto, 'randomUUID', { value: random, configurable: true })
  })
  it('keeps zero and false in a query', () => expect(queryString({ a: 0, b: false, c: undefined })).toBe('?a=0&b=false'))
})
