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
    ],
  },
] satisfies RouteRecordRaw[]
