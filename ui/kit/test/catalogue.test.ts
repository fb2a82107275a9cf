import { describe, expect, it } from 'vitest'
import en from '../locales/kit.en.json'
import zh from '../locales/kit.zh-CN.json'
import { catalogueFaults } from '../src/testing/catalogue'

describe('kit catalogue', () => {
  it('has every key in both languages, with the same parameters', () => expect(catalogueFaults(en, zh)).toEqual([]))
  it('finds missing, untranslated and mismatched texts', () => {
    expect(catalogueFaults({ a: 'One {n}', b: 'Two', c: 'Same' }, { a: '一', c: 'Same', d: '多' })).toEqual([
      'parameters differ: a', 'missing in zh-CN: b', 'not translated: c', 'missing in en: d',
    ])
  })
})
