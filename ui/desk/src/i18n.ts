// Two complete catalogues, one file per area and language, merged here: `locales/desk.en.json` becomes `desk.*`.
// vue-i18n compiles messages without eval, so the content policy needs no `unsafe-eval`.
import { createI18n } from 'vue-i18n'

export const LOCALES = ['zh-CN', 'en'] as const
export type Locale = (typeof LOCALES)[number]
const KEY = 'steward.locale'

type Catalogue = Record<string, unknown>
const loaders: Record<Locale, () => Promise<{ default: Catalogue }>> = {
  'zh-CN': () => import('./locales/zh-CN'),
  en: () => import('./locales/en'),
}

export const i18n = createI18n({ legacy: false, locale: 'en', fallbackLocale: 'en', missingWarn: import.meta.env.DEV, fallbackWarn: false, messages: {} as Record<string, Record<string, never>> })

export function preferredLocale(stored: string | null, languages: readonly string[]): Locale {
  if (stored === 'zh-CN' || stored === 'en') return stored
  return languages.some((language) => language.toLowerCase().startsWith('zh')) ? 'zh-CN' : 'en'
}

/** Chosen by a person (kept in this browser), or only guessed or taken from the account. */
export async function setLocale(locale: Locale, chosen = true): Promise<void> {
  if (!i18n.global.availableLocales.includes(locale)) i18n.global.setLocaleMessage(locale, (await loaders[locale]()).default as Record<string, never>)
  i18n.global.locale.value = locale
  document.documentElement.lang = locale
  if (chosen) localStorage.setItem(KEY, locale)
}

export function startLocale(): Promise<void> {
  return setLocale(preferredLocale(localStorage.getItem(KEY), navigator.languages ?? []), false)
}

/** Whether this browser's user has chosen a language here; otherwise the account's language decides after sign-in. */
export function hasStoredLocale(): boolean {
  return localStorage.getItem(KEY) !== null
}
