import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/customers/:id?', name: 'customers', component: () => import('./CustomersPage.vue'), props: true, meta: { title: 'customers.title', needs: ['customer.read'] } },
] satisfies RouteRecordRaw[]
