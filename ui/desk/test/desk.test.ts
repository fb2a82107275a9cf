import type { Entry, LiveEvent, Message } from '@steward/api'
import { flatten } from '@steward/kit/i18n-check'
import { describe, expect, it } from 'vitest'
import { staleKeys } from '../src/live/invalidate'
import en from '../src/locales/en'
import { preferredLocale } from '../src/i18n'
import { eventText } from '../src/pages/desk/data/eventText'
import { filterText, fromTree, NO_FILTER, parseFilter, toTree } from '../src/pages/desk/data/filters'
import { reasonTree, type Names } from '../src/pages/desk/data/lookups'
import { mentionsIn } from '../src/pages/desk/data/send'
import { fieldInstant, nextMorning, snoozeChoices } from '../src/pages/desk/data/snooze'
import { estimatedHeight, pieces } from '../src/pages/desk/data/text'
import { blocks } from '../src/pages/desk/data/timeline'

const texts = flatten(en as never)
const t = (key: string, params: Record<string, unknown> = {}) => (texts.get(key) ?? key).replace(/\{(\w+)\}/g, (_, name: string) => String(params[name] ?? ''))
const names: Names = { agent: (id) => (id === 'u2' ? 'Wang Fang' : undefined), team: (id) => (id === 't1' ? 'Refunds' : undefined), reason: (id) => (id === 'r' ? 'Refund' : undefined) }
const li = { kind: 'agent' as const, id: 'u1', name: 'Li Na' }

describe('event text', () => {
  it.each([
    ['case.assigned', { assignee: 'u2', by: 'person' }, 'Li Na assigned this to Wang Fang'],
    ['case.assigned', { assignee: { id: 'u2', name: 'W. Fang' }, by: 'person', note: 'please call' }, 'Li Na assigned this to W. Fang: please call'],
    ['case.assigned', { assignee: 'u2', by: 'routing' }, 'Routed to Wang Fang'],
    ['case.assigned', { assignee: null, team: 't1' }, 'Li Na assigned this to Refunds'],
    ['case.assigned', { assignee: 'u1', by: 'answer' }, 'Li Na took the case'],
    ['case.assigned', { assignee: null, by: 'released' }, 'Back to the queue: the agent can no longer work on it'],
    ['case.assigned', { assignee: null, team: null }, 'Li Na put the case back into the queue'],
    ['case.status_changed', { from: 'open', status: 'solved' }, 'Li Na set the status to Solved'],
    ['case.edited', { edit: { priority: 'high' } }, 'Li Na set the priority to High'],
    ['case.edited', { reason_id: 'r' }, 'Li Na set the reason to Refund'],
    ['case.edited', { tags: [] }, 'Li Na set the tags: –'],
    ['case.something_new', {}, 'Li Na: case.something_new'],
  ])('%s %j', (kind, data, text) => expect(eventText(kind, data, li, t, names)).toBe(text))
})

describe('routing reasons', () => {
  const rust = import.meta.glob<string>('../../../crates/domain/src/routing/explanation.rs', { eager: true, query: '?raw', import: 'default' })
  it('all have words', () => {
    const codes = [...(Object.values(rust)[0] ?? '').matchAll(/= "routing\.(\w+)"/g)].map((match) => `desk.why.${match[1]}`)
    expect(codes.length).toBeGreaterThan(10)
    expect(codes.filter((key) => !texts.has(key))).toEqual([])
  })
})

describe('filters', () => {
  const simple = { ...NO_FILTER, status: ['open' as const], assignee: 'none', unanswered: true }
  it('go to a tree and back', () => {
    expect(toTree(simple)).toEqual({ all: [{ status: ['open'] }, { assignee: 'none' }, { unanswered: true }] })
    expect(fromTree(toTree(simple))).toEqual(simple)
    expect(parseFilter(filterText(simple))).toEqual(simple)
    expect(filterText(NO_FILTER)).toBe('')
  })
  it('leave trees alone that say more', () => {
    expect(fromTree({ any: [{ tag: 'vip' }] })).toBeNull()
    expect(fromTree({ all: [{ not: { tag: 'vip' } }] })).toBeNull()
    expect(parseFilter('{broken')).toEqual(NO_FILTER)
  })
})

describe('snooze', () => {
  it("finds the customer's next morning across zones and a change of clocks", () => {
    expect(nextMorning(new Date('2026-11-22T08:00:00Z'), 'Asia/Shanghai').toISOString()).toBe('2026-11-23T01:00:00.000Z')
    expect(nextMorning(new Date('2026-11-22T08:00:00Z'), 'America/New_York').toISOString()).toBe('2026-11-22T14:00:00.000Z')
    expect(nextMorning(new Date('2026-11-22T08:00:00Z'), 'Nowhere/Land').toISOString()).toBe('2026-11-22T09:00:00.000Z')
  })
  it('offers only times to come, and no second tomorrow', () => {
    const sunday = new Date(2026, 10, 22, 17, 30)
    const choices = snoozeChoices(sunday)
    expect(choices.every((choice) => choice.at > sunday)).toBe(true)
    expect(choices.map((choice) => choice.id)).toEqual(['hour', 'three_hours', 'tomorrow'])
    expect(snoozeChoices(new Date(2026, 10, 25, 9, 0)).map((choice) => choice.id)).toContain('monday')
  })
})

describe('snooze in the reader’s zone', () => {
  const at = new Date('2026-11-22T17:30:00Z')
  it('means the mornings and evenings of that zone', () => {
    const there = Object.fromEntries(snoozeChoices(at, null, 'Asia/Shanghai').map((choice) => [choice.id, choice.at.toISOString()]))
    expect(there).toMatchObject({ evening: '2026-11-23T10:00:00.000Z', tomorrow: '2026-11-24T01:00:00.000Z', monday: '2026-11-30T01:00:00.000Z' })
    expect(fieldInstant('2026-11-23T08:15', 'Asia/Shanghai')?.toISOString()).toBe('2026-11-23T00:15:00.000Z')
    expect(fieldInstant('', 'Asia/Shanghai')).toBeNull()
  })
  it('keeps to the wall clock on a day that changes it', () => expect(fieldInstant('2026-11-01T09:00', 'America/New_York')?.toISOString()).toBe('2026-11-01T14:00:00.000Z'))
})

describe('timeline', () => {
  const message = (id: string, at: string, more: Partial<Message> = {}): Entry => ({
    type: 'message', at,
    message: { id, conversation_id: 'v', channel_kind: 'webchat', at, author: { kind: 'customer', id: 'c', name: 'C' }, note: false, automatic: false, text: '', has_html: false, has_remote: false, quoted_text: '', attachments: [], delivery: 'none', delivery_error: null, held_until: null, mail: null, ...more },
  })
  const event = (kind: string, at: string): Entry => ({ type: 'event', at, actor: li, kind, data: {}, names: {} })
  it('groups days, runs of one speaker and events', () => {
    const list = blocks([
      message('1', '2026-11-21T10:00:00Z'), message('2', '2026-11-21T10:04:00Z'), message('3', '2026-11-21T10:10:00Z'), event('case.message_received', '2026-11-21T10:10:00Z'),
      event('case.assigned', '2026-11-21T10:11:00Z'), event('case.edited', '2026-11-21T10:12:00Z'), message('4', '2026-11-22T09:00:00Z'), message('5', '2026-11-22T09:01:00Z', { note: true }),
    ], 'UTC')
    expect(list.map((block) => (block.kind === 'message' ? `${block.key}${block.continued ? '+' : ''}` : block.kind === 'events' ? `events ${block.entries.length}` : 'day'))).toEqual(['day', '1', '2+', '3', 'events 2', 'day', '4', '5'])
  })
})

describe('conversations in the timeline', () => {
  const event = (kind: string, at: string): Entry => ({ type: 'event', at, actor: li, kind, data: {}, names: {} })
  it('are news only when they join later', () => {
    const at = '2026-11-22T09:00:00Z'
    const list = blocks([event('case.opened', at), event('case.conversation_joined', at), event('case.conversation_joined', '2026-11-22T09:30:00Z'), event('case.edited', at)], 'UTC')
    expect(list.map((block) => (block.kind === 'events' ? block.entries.map((entry) => entry.kind) : block.kind))).toEqual(['day', ['case.opened', 'case.conversation_joined', 'case.edited']])
  })
})

describe('text from outside', () => {
  it('becomes pieces, never markup', () => {
    expect(pieces('见 https://a.cn/x?y=1。<b>hi</b> or mail a.b@c.com.')).toEqual([
      { text: '见 ' }, { text: 'https://a.cn/x?y=1', href: 'https://a.cn/x?y=1' }, { text: '。<b>hi</b> or mail ' }, { text: 'a.b@c.com', href: 'mailto:a.b@c.com' }, { text: '.' },
    ])
    expect(pieces('javascript:alert(1)')).toEqual([{ text: 'javascript:alert(1)' }])
  })
  it('has a bounded height', () => expect(estimatedHeight('x\n'.repeat(100_000), 3)).toBe(20_000))
})

describe('small rules', () => {
  it('knows what an event makes stale', () => {
    const event: LiveEvent = { t: 'event', token: '', kind: 'case.assigned', subject_kind: 'case', subject_id: 'c1', case_id: 'c1', actor: 'system', at: '' }
    expect(staleKeys(event)).toContainEqual(['timeline', 'c1'])
    expect(staleKeys({ ...event, kind: 'config.reason.changed', subject_kind: 'reason', case_id: null })).toEqual([['reasons']])
  })
  it('hangs reasons into their tree, in order and language', () => {
    const reason = (id: string, parent_id: string | null, position: number, active = true) => ({ id, parent_id, name_zh: `中${id}`, name_en: `en${id}`, required_skills: [], active, position })
    expect(reasonTree([reason('b', null, 2), reason('a', null, 1), reason('c', 'a', 1), reason('d', 'a', 2, false)], true)).toMatchObject([{ value: 'a', label: '中a', children: [{ value: 'c' }] }, { value: 'b' }])
  })
  it('finds colleagues named in a note', () => expect(mentionsIn('ask @Wang Fang', [{ id: '1', name: 'Wang Fang' }, { id: '2', name: 'Li Na' }])).toEqual(['1']))
  it('prefers what was chosen, then the browser', () => {
    expect(preferredLocale('en', ['zh-CN'])).toBe('en')
    expect(preferredLocale(null, ['de', 'zh-TW'])).toBe('zh-CN')
    expect(preferredLocale('xx', ['fr'])).toBe('en')
  })
})
