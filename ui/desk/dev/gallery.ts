// The kit on one page, for looking at it: `npm run dev -w @steward/desk`, then /dev/gallery.html. No part of the product's build.
import '../src/main.css'
import { KIT_LOCALE, KIT_TEXT } from '@steward/kit'
import { createApp } from 'vue'
import { i18n, setLocale } from '../src/i18n'
import Gallery from './Gallery.vue'

const wanted = new URLSearchParams(location.search)
if (wanted.get('theme')) document.documentElement.dataset['theme'] = wanted.get('theme') ?? 'light'
await setLocale(wanted.get('lang') === 'zh-CN' ? 'zh-CN' : 'en')
const translate = i18n.global.t as (key: string, params?: Record<string, unknown>) => string
createApp(Gallery)
  .use(i18n)
  .provide(KIT_TEXT, (key, params) => translate(`kit.${key}`, params ?? {}))
  .provide(KIT_LOCALE, () => i18n.global.locale.value)
  .mount('#app')
