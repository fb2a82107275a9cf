import { describe, expect, it } from 'vitest'
import { fuzzyFilter, fuzzyScore } from '../src/fuzzy'
import { groupCommands, type Command } from '../src/palette'

describe('fuzzyScore', () => {
  it('prefers the whole word, then its start, then the middle', () => {
    expect(fuzzyScore('assign', 'Assign')).toBeGreaterThan(fuzzyScore('assign', 'Assign to me'))
    expect(fuzzyScore('case', 'Open case')).toBeGreaterThan(fuzzyScore('case', 'Showcase'))
  })
  it('finds Chinese anywhere and in order', () => {
    expect(fuzzyScore('退款', '订单退款未到账')).toBeGreaterThan(0)
    expect(fuzzyScore('转组', '转给小组')).toBeGreaterThan(0)
    expect(fuzzyScore('组转', '转给小组')).toBe(0)
    expect(fuzzyScore('处理', '处理工单')).toBeGreaterThan(fuzzyScore('工单', '处理工单') - 100)
  })
  it('wants every word', () => {
    expect(fuzzyScore('assign li', 'Assign to Li Na')).toBeGreaterThan(0)
    expect(fuzzyScore('assign wang', 'Assign to Li Na')).toBe(0)
  })
  it('takes initials but not scattered letters', () => {
    expect(fuzzyScore('stm', 'Send to me')).toBeGreaterThan(0)
    expect(fuzzyScore('aio', 'wallpaper in tomorrow')).toBe(0)
  })
  it('keeps everything for an empty query, in order', () => {
    expect(fuzzyFilter('', ['b', 'a'], (text) => text)).toEqual(['b', 'a'])
  })
})

describe('groupCommands', () => {
  const command = (id: string, label: string, group = 'Go'): Command => ({ id, label, group, run: () => undefined })
  const commands = [command('a', 'Open desk'), command('b', 'Switch to dark', 'Look'), command('c', 'Sign out', 'Account')]
  it('lists recent ones first and skips what is gone', () => {
    const groups = groupCommands('', commands, ['c', 'gone'], [], 'Recent')
    expect(groups[0]).toEqual({ label: 'Recent', commands: [commands[2]] })
  })
  it('puts what the server found below the matching commands', () => {
    const groups = groupCommands('dark', commands, ['c'], [command('x', 'Dark chocolate order', 'Cases')], 'Recent')
    expect(groups.map((group) => group.label)).toEqual(['Look', 'Cases'])
  })
})
