import type { RouteRecordRaw } from 'vue-router'

// The paths of /reset and /invitation are what the server writes into its mails.
export default [
  { path: '/setup', name: 'setup', component: () => import('./SetupPage.vue'), meta: { public: true, title: 'auth.setup.title' } },
  { path: '/signin', name: 'signin', component: () => import('./SignInPage.vue'), meta: { public: true, title: 'auth.signin.title' } },
  { path: '/forgot', name: 'forgot', component: () => import('./ForgotPage.vue'), meta: { public: true, title: 'auth.forgot.title' } },
  { path: '/reset/:token?', name: 'reset', component: () => import('./ResetPage.vue'), meta: { public: true, title: 'auth.reset.title' } },
  { path: '/invitation/:token?', alias: '/invite/:token?', name: 'invitation', component: () => import('./InvitationPage.vue'), meta: { public: true, title: 'auth.invitation.title' } },
  { path: '/enroll', name: 'enroll', component: () => import('./EnrollPage.vue'), meta: { bare: true, title: 'auth.enroll.title' } },
] satisfies RouteRecordRaw[]
