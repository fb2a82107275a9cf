import { describe, expect, it } from 'vitest'
import { displayKeys, SEQUENCE_MS, ShortcutRegistry, type Shortcut } from '../src/shortcuts'

function press(registry: ShortcutRegistry, key: string, options: Partial<KeyboardEventInit> & { at?: number; target?: HTMLElement } = {}): boolean {
  const event = new KeyboardEvent('keydown', { key, cancelable: true, bubbles: true, ...options })
  Object.defineProperty(event, 'timeStamp', { value: options.at ?? 0 })
  if (options.target) Object.defineProperty(event, 'target', { value: options.target })
  return registry.handle(event)
}

function setUp() {
  const ran: string[] = []
  const registry = new ShortcutRegistry()
  const add = (id: string, keys: string, more: Partial<Shortcut> = {}) =>
    registry.add({ id, keys, label: () => id, group: () => 'g', scope: 'global', run: () => ran.push(id), ...more })
  return { ran, registry, add }
}

describe('shortcut registry', () => {
  it('runs single keys, signs and modified keys', () => {
    const { ran, registry, add } = setUp()
    add('next', 'j')
    add('help', '?')
    add('palette', 'mod+k')
    press(registry, 'j')
    press(registry, '?', { shiftKey: true })
    press(registry, 'k', { ctrlKey: true })
    press(registry, 'k', { metaKey: true })
    expect(ran).toEqual(['next', 'help', 'palette', 'palette'])
  })

  it('runs a sequence only within its time', () => {
    const { ran, registry, add } = setUp()
    add('inbox', 'g i')
    press(registry, 'g', { at: 1000 })
    press(registry, 'i', { at: 1000 + SEQUENCE_MS })
    press(registry, 'g', { at: 9000 })
    press(registry, 'i', { at: 9001 + SEQUENCE_MS })
    expect(ran).toEqual(['inbox'])
  })

  it('falls back to the single key when no sequence matches', () => {
    const { ran, registry, add } = setUp()
    add('inbox', 'g i')
    add('next', 'j')
    press(registry, 'g', { at: 1 })
    press(registry, 'j', { at: 2 })
    expect(ran).toEqual(['next'])
  })

  it('stays quiet while somebody types, except keys made for it', () => {
    const { ran, registry, add } = setUp()
    add('next', 'j')
    add('send', 'mod+enter', { inFields: true })
    const target = document.createElement('textarea')
    expect(press(registry, 'j', { target })).toBe(false)
    press(registry, 'Enter', { ctrlKey: true, target })
    expect(ran).toEqual(['send'])
  })

  it('leaves keys of an input method alone', () => {
    const { ran, registry, add } = setUp()
    add('next', 'j')
    press(registry, 'j', { isComposing: true })
    expect(ran).toEqual([])
  })

  it('listens to active scopes only, the later registration first', () => {
    const { ran, registry, add } = setUp()
    add('outer', 'n')
    add('inner', 'n', { scope: 'case' })
    press(registry, 'n')
    const leave = registry.activate('case')
    press(registry, 'n')
    leave()
    press(registry, 'n')
    expect(ran).toEqual(['outer', 'inner', 'outer'])
  })

  it('is silent behind a dialog and after removal', () => {
    const { ran, registry, add } = setUp()
    const remove = add('next', 'j')
    const resume = registry.suspend()
    press(registry, 'j')
    resume()
    resume()
    press(registry, 'j')
    remove()
    press(registry, 'j')
    expect(ran).toEqual(['next'])
  })
})

describe('displayKeys', () => {
  it.each([
    ['mod+k', false, ['Ctrl', 'K']],
    ['mod+shift+enter', true, ['⌘', '⇧', '↵']],
    ['g i', false, ['g', 'i']],
    ['?', false, ['?']],
  ])('%s', (keys, mac, expected) => expect(displayKeys(keys, mac)).toEqual(expected))
})
