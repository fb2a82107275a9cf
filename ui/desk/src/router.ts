// Every area registers its own pages in pages/<area>/routes.ts; this file only joins them and guards them.
import { createRouter, createWebHistory, type RouteLocationNormalized, type RouteLocationRaw, type RouteRecordRaw } from 'vue-router'
import { onEnrolmentDemanded, onSignedOut } from './query'
import { forgetSession, loadMe, neededSetup } from './session'

declare module 'vue-router' {
  interface RouteMeta {
    /** Reachable without signing in; such pages stand alone, without the rail. */
    public?: boolean
    /** Any of these permissions opens the page. */
    needs?: string[]
    /** Catalogue key of the page's title. */
    title?: string
    /** Signed in, but drawn without the rail. */
    bare?: boolean
  }
}

const areas = import.meta.glob<{ default: RouteRecordRaw[] }>('./pages/*/routes.ts', { eager: true })

export const router = createRouter({
  history: createWebHistory('/'),
  routes: [
    { path: '/', redirect: '/desk' },
    ...Object.values(areas).flatMap((area) => area.default),
    { path: '/:rest(.*)*', name: 'not-found', component: () => import('./shell/NotFoundPage.vue'), meta: { title: 'shell.not_found.title' } },
  ],
})

const toSignIn = (to: RouteLocationNormalized): RouteLocationRaw => ({ path: '/signin', query: to.fullPath === '/desk' ? {} : { next: to.fullPath } })

router.beforeEach(async (to) => {
  if (to.meta.public) return true
  let me
  try {
    me = await loadMe()
  } catch {
    // The frame itself shows that the server can't be reached, and tries again.
    return true
  }
  if (!me) return (await neededSetup().catch(() => false)) ? '/setup' : toSignIn(to)
  if (me.must_enroll_totp && to.name !== 'enroll' && router.hasRoute('enroll')) return { name: 'enroll' }
  return true
})

// It may be demanded while somebody works: what they ask for then is refused until it is set up.
onEnrolmentDemanded(() => {
  const here = router.currentRoute.value
  if (!here.meta.public && here.name !== 'enroll') void router.replace({ name: 'enroll' })
})

onSignedOut(() => {
  const here = router.currentRoute.value
  if (here.meta.public || !here.name) return
  forgetSession()
  void router.replace(toSignIn(here))
})
