// Choices that several forms offer, in the reader's language.
import type { AgentRow, Channel, ChannelKind, Named, Skill, Team } from '@steward/api'
import type { Option } from '@steward/kit'
import { computed } from 'vue'
import { useI18n } from 'vue-i18n'
import { useSession } from '../../../session'
import { useItems } from './items'
import type { Role } from './shapes'

export const KINDS: readonly ChannelKind[] = ['webchat', 'email', 'webform', 'api', 'phone', 'counter']
const LANGUAGES = ['zh', 'en', 'yue', 'ja', 'ko', 'vi', 'th', 'id', 'ms', 'ru', 'fr', 'de', 'es', 'pt', 'it', 'ar', 'hi', 'tr']

const named = (list: readonly Named[]): Option[] => list.map(({ id, name }) => ({ value: id, label: name }))

export function languageName(tag: string, locale: string): string {
  try {
    return new Intl.DisplayNames([locale], { type: 'language' }).of(tag) ?? tag
  } catch {
    return tag
  }
}

export function useLanguages() {
  const { locale } = useI18n()
  return computed<Option[]>(() => LANGUAGES.map((tag) => ({ value: tag, label: languageName(tag, locale.value), keywords: `${tag} ${languageName(tag, tag)}` })))
}

export const useSkillOptions = () => {
  const { items } = useItems<Skill>('skills')
  return computed(() => named(items.value))
}
export const useTeamOptions = () => {
  const { items } = useItems<Team>('teams')
  return computed(() => named(items.value))
}
export const useAgentOptions = () => {
  const { items } = useItems<AgentRow>('agents')
  return computed(() => named(items.value.filter((agent) => agent.active)))
}

/** A built-in role is named in the reader's language, an own one as its maker named it. */
export function useRoleName() {
  const { t } = useI18n()
  return (role: { key?: string | null; name: string }) => (role.key ? t(`admin.role.${role.key}`) : role.name)
}
export function useRoleOptions() {
  const { items } = useItems<Role>('roles')
  const nameOf = useRoleName()
  return {
    roles: items,
    options: computed<Option[]>(() => items.value.map((role) => ({ value: role.id, label: nameOf(role) }))),
    nameOf: (held: Named) => nameOf(items.value.find((role) => role.id === held.id) ?? held),
  }
}

/** Channels are only listed for who manages them; others choose among none. */
export function useChannelOptions() {
  const { can } = useSession()
  const { items } = can('channels.manage') ? useItems<Channel>('channels') : { items: computed<Channel[]>(() => []) }
  return computed(() => named(items.value))
}
