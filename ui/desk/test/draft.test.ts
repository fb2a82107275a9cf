import { flushPromises } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, type EffectScope } from 'vue'
import { flushDraft, useDraft } from '../src/pages/desk/data/draft'

interface Call { method: string; body: unknown }

describe('draft', () => {
  let calls: Call[]
  let stored: unknown
  let fail: boolean
  let scope: EffectScope
  const open = () => {
    const draft = scope.run(() => useDraft('c1'))
    if (!draft) throw new Error('no scope')
    return draft
  }
  beforeEach(() => {
    vi.useFakeTimers()
    calls = []
    stored = { text: '', html: null, note: false, attachments: [], updated_at: null }
    fail = false
    scope = effectScope()
    vi.stubGlobal('fetch', async (_: string, init: RequestInit) => {
      calls.push({ method: init.method ?? '', body: init.body ? JSON.parse(String(init.body)) : null })
      if (fail) return new Response('{"code":"busy"}', { status: 503 })
      return init.method === 'GET' ? new Response(JSON.stringify(stored)) : new Response(null, { status: 204 })
    })
  })
  afterEach(() => {
    scope.stop()
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })

  it('comes back from the server, but never over what was typed meanwhile', async () => {
    stored = { text: 'begun', html: '<p>begun</p>', note: true, attachments: [], updated_at: 'x' }
    const draft = open()
    await draft.load()
    expect(draft.content).toMatchObject({ text: 'begun', note: true })
    draft.content.text = 'typed'
    await draft.load()
    expect(draft.content.text).toBe('typed')
    await draft.load(true)
    expect(draft.content.text).toBe('begun')
  })

  it('is saved once after a pause, and deleted when emptied', async () => {
    const draft = open()
    draft.content.text = 'a'
    await vi.advanceTimersByTimeAsync(300)
    draft.content.text = 'ab'
    await vi.advanceTimersByTimeAsync(1000)
    expect(calls).toEqual([{ method: 'PUT', body: { text: 'ab', html: '', note: false, attachments: [] } }])
    expect(draft.state.value).toBe('saved')
    draft.content.text = ''
    await vi.advanceTimersByTimeAsync(1000)
    expect(calls.at(-1)?.method).toBe('DELETE')
  })

  it('is not written again after it was sent', async () => {
    const draft = open()
    draft.content.text = 'sent'
    await flushPromises()
    draft.clear()
    await vi.advanceTimersByTimeAsync(5000)
    expect(calls).toEqual([])
  })

  it('is written before the server changes it, and tried again after a failure', async () => {
    const draft = open()
    draft.content.text = 'half'
    await flushPromises()
    fail = true
    await flushDraft('c1')
    expect(draft.state.value).toBe('failed')
    fail = false
    await vi.advanceTimersByTimeAsync(6000)
    expect(draft.state.value).toBe('saved')
    await flushDraft('other')
    expect(calls.filter((call) => call.method === 'PUT')).toHaveLength(2)
  })
})
