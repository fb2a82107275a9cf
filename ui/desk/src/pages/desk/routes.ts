import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/desk', redirect: '/desk/mine' },
  { path: '/desk/:view/:id?', name: 'desk', component: () => import('./DeskPage.vue'), props: true, meta: { title: 'desk.title' } },
] satisfies RouteRecordRaw[]
