// Small lists that many pickers and texts need: agents, teams, reasons, skills, channels, canned replies.
import type { AgentRow, Canned, ChannelRef, Items, Named, Reason, Skill, Team } from '@steward/api'
import type { TreeOption } from '@steward/kit'
import { useQuery } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { useI18n } from 'vue-i18n'
import { api } from '../../../query'
import { useSession } from '../../../session'

const MINUTES_5 = 300_000

function useItems<T>(key: string, path: string, enabled: MaybeRefOrGetter<boolean> = true) {
  const query = useQuery({ queryKey: [key], queryFn: () => api.get<Items<T>>(path), staleTime: MINUTES_5, enabled: computed(() => toValue(enabled)), retry: false })
  return computed(() => query.data.value?.items ?? [])
}

export function reasonTree(reasons: readonly Reason[], chinese: boolean, parent: string | null = null): TreeOption[] {
  return reasons
    .filter((reason) => reason.parent_id === parent && reason.active)
    .sort((a, b) => a.position - b.position)
    .map((reason) => {
      const label = chinese ? reason.name_zh || reason.name_en : reason.name_en || reason.name_zh
      const children = reasonTree(reasons, chinese, reason.id)
      return { value: reason.id, label, keywords: `${reason.name_zh} ${reason.name_en}`, ...(children.length ? { children } : {}) }
    })
}

export function useAgents() {
  return useItems<AgentRow>('agents', '/api/agents')
}

export function useTeams() {
  const { me } = useSession()
  const all = useItems<Team>('teams', '/api/teams')
  // Who may not read all teams still sees the own ones.
  return computed<Named[]>(() => (all.value.length ? all.value : (me.value?.teams ?? [])))
}

export function useReasons() {
  const { locale } = useI18n()
  const reasons = useItems<Reason>('reasons', '/api/reasons')
  return { reasons, tree: computed(() => reasonTree(reasons.value, locale.value === 'zh-CN')) }
}

export const useSkills = () => useItems<Skill>('skills', '/api/skills')
/** `wanted`: asked for only when somebody is about to choose one. */
export const useCanned = (wanted: MaybeRefOrGetter<boolean> = true) => useItems<Canned>('canned', '/api/canned', wanted)
/** Phones and counters that contacts can be taken down for. */
export const useContactChannels = () => useItems<ChannelRef>('contact-channels', '/api/contact-channels')

/** Names behind the ids that events carry. */
export function useNames() {
  const { locale } = useI18n()
  const agents = useAgents()
  const teams = useTeams()
  const { reasons } = useReasons()
  const find = (list: { id: string; name: string }[], id: unknown) => list.find((entry) => entry.id === id)?.name
  return {
    agent: (id: unknown) => find(agents.value, id),
    team: (id: unknown) => find(teams.value, id),
    reason: (id: unknown) => {
      const reason = reasons.value.find((entry) => entry.id === id)
      return reason && (locale.value === 'zh-CN' ? reason.name_zh : reason.name_en)
    },
  }
}
export type Names = ReturnType<typeof useNames>
