import { catalogueFaults, flatten } from '@steward/kit/i18n-check'
import { baseCompile } from '@intlify/message-compiler'
import { describe, expect, it } from 'vitest'
import en from '../src/locales/en'
import zh from '../src/locales/zh-CN'

type Tree = { [key: string]: string | Tree }
const sources = import.meta.glob<string>(['../src/**/*.{vue,ts}', '../../kit/src/**/*.{vue,ts}'], { eager: true, query: '?raw', import: 'default' })
const rust = import.meta.glob<string>('../../../crates/domain/src/{rejection,permission}.rs', { eager: true, query: '?raw', import: 'default' })

/** Texts that are the same word in both languages. */
const SAME = ['shell.locale.en', 'shell.locale.zh-CN']

describe('catalogues', () => {
  it('say the same in both languages', () => expect(catalogueFaults(en as Tree, zh as Tree, SAME)).toEqual([]))

  it('hold only messages that compile', () => {
    const broken: string[] = []
    for (const [key, text] of [...flatten(en as Tree), ...flatten(zh as Tree)]) {
      try {
        baseCompile(text, { onError: (fault) => { throw fault } })
      } catch {
        broken.push(`${key}: ${text}`)
      }
    }
    expect(broken).toEqual([])
  })

  it('have words for every refusal of the server', () => {
    const code = Object.entries(rust).find(([path]) => path.includes('rejection'))?.[1] ?? ''
    const codes = [...code.matchAll(/^\s+\w+ = "(\w+)"/gm)].map((match) => `errors.${match[1]}`)
    expect(codes.length).toBeGreaterThan(40)
    const texts = flatten(en as Tree)
    expect(codes.filter((key) => !texts.has(key))).toEqual([])
  })

  it('hold every text that a page asks for, and none that no page does', () => {
    const texts = new Set(flatten(en as Tree).keys())
    const missing = new Set<string>()
    const used = new Set<string>()
    const prefixes = new Set<string>()
    for (const [path, source] of Object.entries(sources)) {
      const prefix = path.includes('/kit/') ? 'kit.' : ''
      for (const [, key] of source.matchAll(/\bt\(\s*'([\w.-]+)'/g)) {
        used.add(prefix + key)
        if (!texts.has(prefix + key)) missing.add(`${path}: ${prefix}${key}`)
      }
      // t(`area.${x}`) uses everything below its prefix; other quoted keys count as used, too.
      for (const [, key] of source.matchAll(/[`'"]([\w.-]+?)\$\{/g)) prefixes.add(prefix + key).add(key ?? '')
      for (const [, key] of source.matchAll(/['"`]([a-z_]+(?:\.[\w-]+)+)['"`]/g)) used.add(key ?? '')
    }
    expect([...missing]).toEqual([])
    const unused = [...texts].filter((key) => !used.has(key) && !key.startsWith('errors.') && ![...prefixes].some((prefix) => prefix.includes('.') && key.startsWith(prefix)))
    expect(unused).toEqual([])
  })
})
