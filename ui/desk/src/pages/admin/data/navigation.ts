// The entries of the administration that this person can use.
import { BookText, Building2, GitFork, GraduationCap, History, Inbox, KeyRound, ListTree, MailWarning, Route, ShieldCheck, Stethoscope, Users } from 'lucide-vue-next'
import { computed, type Component } from 'vue'
import { useI18n } from 'vue-i18n'
import { useRouter } from 'vue-router'
import { useSession } from '../../../session'

const GROUPS: { id: string; links: [name: string, icon: Component][] }[] = [
  { id: 'people', links: [['people', Users], ['teams', GitFork], ['roles', ShieldCheck], ['skills', GraduationCap]] },
  { id: 'work', links: [['channels', Inbox], ['routing', Route], ['reasons', ListTree], ['canned', BookText]] },
  { id: 'system', links: [['workspace', Building2], ['tokens', KeyRound], ['audit', History], ['unreadable', MailWarning], ['check', Stethoscope]] },
]

export function useAdminLinks() {
  const { t } = useI18n()
  const router = useRouter()
  const { can } = useSession()
  return computed(() =>
    GROUPS.map(({ id, links }) => ({
      label: t(`admin.group.${id}`),
      links: links
        .map(([name, icon]) => ({ id: name, icon, label: t(`admin.nav.${name}`), route: router.hasRoute(`admin-${name}`) ? router.resolve({ name: `admin-${name}` }) : null }))
        .filter((link) => link.route && (link.route.meta.needs ?? []).some(can)),
    })).filter((group) => group.links.length),
  )
}
