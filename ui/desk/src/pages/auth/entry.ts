// What the pages before the desk share: where to go afterwards, the token of a link, and choices of language and zone.
import type { Me } from '@steward/api'
import type { Option } from '@steward/kit'
import { computed } from 'vue'
import { useRoute, useRouter, type RouteLocationNormalizedLoaded } from 'vue-router'
import { queryClient } from '../../query'
import { setMe } from '../../session'

/** Only a path of our own: a link from outside must not send somebody elsewhere after signing in. */
export function safeNext(next: unknown): string {
  return typeof next === 'string' && /^\/(?![/\\])/.test(next) && !next.startsWith('/signin') ? next : '/desk'
}

export function linkToken(route: RouteLocationNormalizedLoaded): string {
  const token = route.params['token'] || route.query['token']
  return typeof token === 'string' ? token : ''
}

export function useEntry() {
  const route = useRoute()
  const router = useRouter()
  return {
    token: computed(() => linkToken(route)),
    /** Signed in: what an earlier person saw in this tab is forgotten. */
    enter: (me: Me) => {
      queryClient.clear()
      setMe(me)
      return router.replace(safeNext(route.query['next']))
    },
  }
}

export const LOCALE_OPTIONS: Option[] = [
  { value: 'zh-CN', label: '简体中文' },
  { value: 'en', label: 'English' },
]

export function browserZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'
}

/** All zones with their present distance from UTC. */
export function zoneOptions(locale: string): Option[] {
  const zones = new Set(['UTC', browserZone(), ...Intl.supportedValuesOf('timeZone')])
  return [...zones].map((zone) => ({ value: zone, label: zone.replaceAll('_', ' '), hint: offset(zone, locale) }))
}

function offset(zone: string, locale: string): string {
  const parts = new Intl.DateTimeFormat(locale, { timeZone: zone, timeZoneName: 'shortOffset' }).formatToParts(Date.now())
  return parts.find((part) => part.type === 'timeZoneName')?.value ?? ''
}
