// Keys that work everywhere.
import { useShortcuts, useTheme } from '@steward/kit'
import type { Ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { useRouter } from 'vue-router'
import { setLocale } from '../i18n'
import { useCommands } from './palette'
import { useNavigation } from './navigation'
import { useOwnPresence } from './presence'

export function useShellShortcuts(palette: { open: Ref<boolean>; help: Ref<boolean> }): void {
  const { t, locale } = useI18n()
  const router = useRouter()
  const { theme, set } = useTheme()
  const { setPresence } = useOwnPresence()
  const links = useNavigation()
  const go = () => t('shell.group.go')
  const general = () => t('shell.group.general')
  const goTo = (id: string, keys: string, to: string, label: () => string) => ({ id, keys, label, group: go, when: () => links.value.some((link) => link.to === to), run: () => void router.push(to) })
  useShortcuts('global', [
    { id: 'palette', keys: 'mod+k', label: () => t('shell.palette'), group: general, inFields: true, hidden: true, run: () => (palette.open.value = true) },
    { id: 'keys', keys: '?', label: () => t('shell.keys'), group: general, run: () => (palette.help.value = true) },
    goTo('go-desk', 'g i', '/desk', () => t('shell.go_desk')),
    goTo('go-customers', 'g c', '/customers', () => t('shell.go_customers')),
    goTo('go-admin', 'g a', '/admin', () => t('shell.go_admin')),
  ])
  useCommands(() => [
    { id: 'account', label: t('shell.account'), group: go(), run: () => void router.push('/account') },
    { id: 'theme', label: theme.value === 'dark' ? t('shell.use_light') : t('shell.use_dark'), group: general(), run: () => void set(theme.value === 'dark' ? 'light' : 'dark') },
    { id: 'locale', label: locale.value === 'en' ? t('shell.use_chinese') : t('shell.use_english'), group: general(), keywords: '语言 language 中文 english', run: () => void setLocale(locale.value === 'en' ? 'zh-CN' : 'en') },
    ...(['online', 'busy', 'away', 'offline'] as const).map((state) => ({ id: `presence-${state}`, label: t('shell.set_presence', { presence: t(`kit.presence.${state}`) }), group: general(), run: () => void setPresence(state) })),
  ])
}
