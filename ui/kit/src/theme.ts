// Light, dark or as the system says; remembered by this browser.
import { ref, watchEffect } from 'vue'

export type Theme = 'light' | 'dark' | 'system'
const KEY = 'steward.theme'

function stored(): Theme {
  const value = globalThis.localStorage?.getItem(KEY)
  return value === 'light' || value === 'dark' ? value : 'system'
}

const theme = ref<Theme>(stored())

export function applyTheme(root: HTMLElement = document.documentElement): void {
  watchEffect(() => {
    if (theme.value === 'system') root.removeAttribute('data-theme')
    else root.setAttribute('data-theme', theme.value)
    localStorage.setItem(KEY, theme.value)
  })
}

export function useTheme() {
  return { theme, set: (value: Theme) => (theme.value = value) }
}
