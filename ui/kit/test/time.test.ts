import { describe, expect, it } from 'vitest'
import { avatarHue, initials } from '../src/avatar'
import { hashQuery, isPlainHtml, textToHtml } from '../src/editor'
import { flattenTree } from '../src/option'
import { formatAge, formatAgo, formatBytes, formatRemaining } from '../src/time'

const NOW = Date.UTC(2026, 10, 22, 8, 0, 0)

describe('formatRemaining', () => {
  it.each([
    [9_000, '0:09'], [8_001, '0:09'], [1, '0:01'], [0, '0:00'], [-1_000, '\u22120:01'], [750_000, '12:30'], [11_100_000, '3:05:00'], [2 * 86_400_000 + 4 * 3_600_000, '2 d 04:00'],
  ])('%i ms', (millis, text) => expect(formatRemaining(millis)).toBe(text))
})

describe('formatAgo', () => {
  it('is short and in the language', () => {
    expect(formatAgo(NOW - 180_000, NOW, 'zh-CN')).toBe('3分钟前')
    expect(formatAgo(NOW - 1_000, NOW, 'en')).toBe('now')
    expect(formatAgo(NOW - 20 * 86_400_000, NOW, 'en')).toBe('Nov 2')
    expect(formatAgo(Date.UTC(2026, 10, 1, 20), NOW, 'en', 'Asia/Shanghai')).toBe('Nov 2')
    expect(formatAgo(NOW - 400 * 86_400_000, NOW, 'en')).toContain('2025')
  })
  it('ages in one unit', () => {
    expect(formatAge(NOW - 3_700_000, NOW)).toBe('1h')
    expect(formatAge(NOW + 5_000, NOW)).toBe('0s')
  })
})

describe('small things', () => {
  it.each([['李娜', '娜'], ['欧阳娜娜', '娜娜'], ['Anna Smith', 'AS'], ['support@shop.cn', 'SC'], ['', '?']])('initials of %s', (name, text) => expect(initials(name)).toBe(text))
  it('gives a name one colour', () => expect(avatarHue('李娜', 6)).toBe(avatarHue('李娜', 6)))
  it.each([[1023, '1023 B'], [1536, '1.5 KB'], [20 * 1024 * 1024, '20 MB']])('%i bytes', (bytes, text) => expect(formatBytes(bytes)).toBe(text))
  it.each([['hi #ref', 'ref'], ['#', ''], ['a#b', null], ['#退款', '退款'], ['#a b', null]])('canned reply trigger in %s', (text, query) => expect(hashQuery(text)).toBe(query))
  it.each([['<p>a</p><p>b<br>c</p>', true], ['', true], ['<p><strong>a</strong></p>', false], ['<p class="x">a</p>', false], ['<pre>a</pre>', false]])('plain: %s', (html, plain) => expect(isPlainHtml(html)).toBe(plain))
  it('never lets text become markup', () => expect(textToHtml('<b>\n\na&b')).toBe('<p>&lt;b&gt;</p><p>a&amp;b</p>'))
  it('walks a tree in reading order', () => {
    const rows = flattenTree([{ value: 'a', label: 'Orders', children: [{ value: 'b', label: 'Refund' }] }])
    expect(rows.map((row) => [row.depth, row.path])).toEqual([[0, 'Orders'], [1, 'Orders / Refund']])
  })
})
