// The registry of keys: who listens to what, in which scope, under which name. It feeds the `?` overlay, the palette and
// the key hints on buttons, so a key that works is a key that is shown.
import { shallowReactive } from 'vue'

export interface Shortcut {
  id: string
  /** "j", "Shift+G", "mod+k" (Ctrl, Cmd on a Mac) or a sequence "g i". */
  keys: string
  /** Already translated; a function so that it follows a change of language. */
  label: () => string
  group: () => string
  /** Listens only while this scope is active; "global" always listens. */
  scope: string
  run: (event?: KeyboardEvent) => void
  when?: () => boolean
  /** Also while typing in a field: only for keys with Ctrl/Cmd. */
  inFields?: boolean
  /** Left out of the palette (moving keys make no sense there). */
  hidden?: boolean
}

/** Two keys of a sequence belong together when they come within this many milliseconds. */
export const SEQUENCE_MS = 1200

export function isMac(platform: string = globalThis.navigator?.platform ?? ''): boolean {
  return /mac|iphone|ipad/i.test(platform)
}

export function isTypingTarget(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null
  if (!element || typeof element.closest !== 'function') return false
  if (element.isContentEditable || element.closest('[contenteditable="true"]')) return true
  if (element.tagName === 'TEXTAREA' || element.tagName === 'SELECT') return true
  if (element.tagName !== 'INPUT') return false
  return !['button', 'checkbox', 'radio', 'submit', 'reset', 'range', 'file'].includes((element as HTMLInputElement).type)
}

/** The name of one key press as it is written in `keys`. */
export function keyName(event: KeyboardEvent): string {
  const parts: string[] = []
  if (event.ctrlKey || event.metaKey) parts.push('mod')
  if (event.altKey) parts.push('alt')
  const key = event.key === ' ' ? 'space' : event.key.toLowerCase()
  // For signs the shift key is part of how the sign is typed ("?"), for letters and named keys it is a modifier.
  if (event.shiftKey && (key.length > 1 || /[a-z]/.test(key))) parts.push('shift')
  return [...parts, key].join('+')
}

function normalise(keys: string): string[] {
  return keys.trim().toLowerCase().split(/\s+/)
}

export class ShortcutRegistry {
  readonly entries = shallowReactive(new Map<string, Shortcut>())
  private readonly scopes = new Map<string, number>()
  private suspended = 0
  private pending: string[] = []
  private pendingSince = 0

  /** Registers and returns the function that removes it again. A later one with the same id replaces the former. */
  add(shortcut: Shortcut): () => void {
    this.entries.set(shortcut.id, shortcut)
    return () => {
      if (this.entries.get(shortcut.id) === shortcut) this.entries.delete(shortcut.id)
    }
  }

  activate(scope: string): () => void {
    this.scopes.set(scope, (this.scopes.get(scope) ?? 0) + 1)
    return () => {
      const left = (this.scopes.get(scope) ?? 1) - 1
      if (left > 0) this.scopes.set(scope, left)
      else this.scopes.delete(scope)
    }
  }

  /** While a dialog is open the page behind it must not react. */
  suspend(): () => void {
    this.suspended += 1
    let done = false
    return () => {
      if (!done) this.suspended -= 1
      done = true
    }
  }

  isActive(shortcut: Shortcut): boolean {
    const inScope = shortcut.scope === 'global' || this.scopes.has(shortcut.scope)
    return inScope && (shortcut.when?.() ?? true)
  }

  /** The keys that work now, in the order they were added. */
  active(): Shortcut[] {
    return [...this.entries.values()].filter((shortcut) => this.isActive(shortcut))
  }

  /** Runs what the key asks for; true when something did, or when it began a sequence. */
  handle(event: KeyboardEvent): boolean {
    if (event.defaultPrevented || event.isComposing || this.suspended > 0) return false
    if (['Shift', 'Control', 'Alt', 'Meta'].includes(event.key)) return false
    const typing = isTypingTarget(event.target)
    const pressed = keyName(event)
    const sequence = event.timeStamp - this.pendingSince <= SEQUENCE_MS ? [...this.pending, pressed] : [pressed]
    this.pending = []
    for (const tried of sequence.length > 1 ? [sequence, [pressed]] : [sequence]) {
      const match = this.find(tried, typing)
      if (match) {
        event.preventDefault()
        match.run(event)
        return true
      }
    }
    if (typing || !this.beginsSequence(pressed)) return false
    this.pending = [pressed]
    this.pendingSince = event.timeStamp
    return true
  }

  private find(sequence: string[], typing: boolean): Shortcut | undefined {
    const wanted = sequence.join(' ')
    // Later registrations win: the innermost page's key hides the outer one.
    return [...this.entries.values()]
      .reverse()
      .find((shortcut) => normalise(shortcut.keys).join(' ') === wanted && (!typing || shortcut.inFields === true) && this.isActive(shortcut))
  }

  private beginsSequence(pressed: string): boolean {
    return this.active().some((shortcut) => {
      const keys = normalise(shortcut.keys)
      return keys.length > 1 && keys[0] === pressed
    })
  }
}

/** Keys for people: ["Ctrl", "K"], ["g", "i"]. */
export function displayKeys(keys: string, mac: boolean = isMac()): string[] {
  const names: Record<string, string> = {
    mod: mac ? '\u2318' : 'Ctrl', shift: mac ? '\u21e7' : 'Shift', alt: mac ? '\u2325' : 'Alt', enter: '\u21b5', escape: 'Esc',
    arrowup: '\u2191', arrowdown: '\u2193', arrowleft: '\u2190', arrowright: '\u2192', space: 'Space', backspace: '\u232b',
  }
  return normalise(keys).flatMap((press) =>
    press.split('+').map((part, _, all) => names[part] ?? (all.length > 1 && part.length === 1 ? part.toUpperCase() : part)),
  )
}
