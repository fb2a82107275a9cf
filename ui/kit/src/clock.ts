// The one ticking clock of the page: a single interval however many times are on screen, and corrected by what the
// server says, because an agent's computer may be minutes off.
import { computed, ref, type Ref } from 'vue'

const offset = ref(0)
const second = ref(Date.now())
let timer: ReturnType<typeof setInterval> | undefined

function tick(): void {
  second.value = Date.now() + offset.value
}

/** Milliseconds to add to this computer's clock to get the server's. */
export function setClockOffset(millis: number): void {
  offset.value = millis
  tick()
}

const zone = ref<string | undefined>()

/** The IANA zone in which the reader wants times; nothing = the computer's own. An unknown zone is ignored. */
export function setTimeZone(name: string | null | undefined): void {
  try {
    zone.value = name ? new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone : undefined
  } catch {
    zone.value = undefined
  }
}

export function useTimeZone(): Readonly<Ref<string | undefined>> {
  return zone
}

/** Server time in milliseconds, renewed every second while the page lives. */
export function useNow(): Readonly<Ref<number>> {
  timer ??= setInterval(tick, 1000)
  return second
}

/** Server time rounded down to `seconds`, so that a list re-renders only that often. */
export function useNowEvery(seconds: number): Readonly<Ref<number>> {
  const now = useNow()
  const step = seconds * 1000
  return computed(() => Math.floor(now.value / step) * step)
}
