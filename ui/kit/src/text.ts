// The words inside kit components. The application hands over its translator; without one, English is used, so that a
// component can be mounted alone in a test.
import { inject, type InjectionKey } from 'vue'
import en from '../locales/kit.en.json'

export type Translate = (key: string, params?: Record<string, unknown>) => string

export const KIT_TEXT: InjectionKey<Translate> = Symbol('kit text')
export const KIT_LOCALE: InjectionKey<() => string> = Symbol('kit locale')

function english(key: string, params: Record<string, unknown> = {}): string {
  let at: unknown = en
  for (const part of key.split('.')) at = (at as Record<string, unknown> | undefined)?.[part]
  return typeof at === 'string' ? at.replace(/\{(\w+)\}/g, (_, name: string) => String(params[name] ?? '')) : key
}

export function useKitText(): Translate {
  return inject(KIT_TEXT, english)
}

/** BCP 47 tag of the reader's language, as a function so that a change re-renders. */
export function useKitLocale(): () => string {
  return inject(KIT_LOCALE, () => 'en')
}
