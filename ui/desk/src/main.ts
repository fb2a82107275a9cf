import './main.css'
import { applyTheme, KIT_LOCALE, KIT_TEXT } from '@steward/kit'
import { VueQueryPlugin } from '@tanstack/vue-query'
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { i18n, startLocale } from './i18n'
import { queryClient } from './query'
import { router } from './router'
import { allowInertParsing } from './trusted'

allowInertParsing()
applyTheme()
await startLocale()
const translate = i18n.global.t as (key: string, params?: Record<string, unknown>) => string
createApp(App)
  .use(createPinia())
  .use(VueQueryPlugin, { queryClient })
  .use(i18n)
  .use(router)
  .provide(KIT_TEXT, (key, params) => translate(`kit.${key}`, params ?? {}))
  .provide(KIT_LOCALE, () => i18n.global.locale.value)
  .mount('#app')
