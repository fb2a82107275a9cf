import { Inbox, Settings, Users } from 'lucide-vue-next'
import { computed, type Component } from 'vue'
import { useI18n } from 'vue-i18n'
import { useSession } from '../session'

export interface NavigationLink { to: string; label: string; icon: Component; keys: string }

/** Having one of these makes the administration worth showing. */
const ADMIN = ['settings.manage', 'people.manage', 'routing.manage', 'audit.read', 'roles.manage', 'channels.manage', 'canned.manage']

/** The areas this person can use. */
export function useNavigation() {
  const { t } = useI18n()
  const { can } = useSession()
  return computed<NavigationLink[]>(() => [
    { to: '/desk', label: t('shell.desk'), icon: Inbox, keys: 'g i' },
    { to: '/customers', label: t('shell.customers'), icon: Users, keys: 'g c' },
    ...(ADMIN.some(can) ? [{ to: '/admin', label: t('shell.admin'), icon: Settings, keys: 'g a' }] : []),
  ])
}
