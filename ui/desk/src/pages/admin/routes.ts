import type { RouteRecordRaw } from 'vue-router'

const page = (path: string, needs: string[], component: RouteRecordRaw['component'], name = path): RouteRecordRaw =>
  ({ path, name: `admin-${name}`, component, props: true, meta: { title: `admin.nav.${name}`, needs } }) as RouteRecordRaw

export default [
  {
    path: '/admin',
    component: () => import('./AdminLayout.vue'),
    children: [
      { path: '', name: 'admin', component: () => import('./AdminHome.vue'), meta: { title: 'admin.title' } },
      page('people', ['people.manage'], () => import('./people/PeoplePage.vue')),
      page('teams', ['people.manage'], () => import('./people/TeamsPage.vue')),
      page('roles', ['roles.manage'], () => import('./people/RolesPage.vue')),
      page('skills', ['people.manage'], () => import('./people/SkillsPage.vue')),
      page('channels', ['channels.manage'], () => import('./channels/ChannelsPage.vue')),
      page('channels/:id', ['channels.manage'], () => import('./channels/ChannelPage.vue'), 'channel'),
      page('unreadable', ['channels.manage'], () => import('./channels/UnreadablePage.vue')),
      page('routing', ['routing.manage'], () => import('./work/RoutingPage.vue')),
      page('reasons', ['settings.manage'], () => import('./work/ReasonsPage.vue')),
      page('canned', ['canned.manage'], () => import('./work/CannedPage.vue')),
      page('workspace', ['settings.manage'], () => import('./system/WorkspacePage.vue')),
      page('tokens', ['tokens.manage'], () => import('./system/TokensPage.vue')),
      page('audit', ['audit.read'], () => import('./system/AuditPage.vue')),
      page('check', ['settings.manage'], () => import('./system/CheckPage.vue')),
    ],
  },
  { path: '/profile', alias: '/account', name: 'profile', component: () => import('./account/ProfilePage.vue'), meta: { title: 'admin.profile.title' } },
] satisfies RouteRecordRaw[]
