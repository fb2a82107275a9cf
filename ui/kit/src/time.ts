// Times as people read them. Every function takes `now` and milliseconds since the epoch; nothing reads a clock here.

export type Instant = number | string | Date

/** Milliseconds since the epoch; NaN when the text is no time. */
export function toMillis(at: Instant): number {
  if (typeof at === 'number') return at
  return at instanceof Date ? at.getTime() : Date.parse(at)
}

const STEPS: [limitSeconds: number, unit: Intl.RelativeTimeFormatUnit, seconds: number][] = [
  [60, 'second', 1],
  [3600, 'minute', 60],
  [86_400, 'hour', 3600],
  [7 * 86_400, 'day', 86_400],
]

const relativeFormats = new Map<string, Intl.RelativeTimeFormat>()
const dateFormats = new Map<string, Intl.DateTimeFormat>()

function relativeFormat(locale: string): Intl.RelativeTimeFormat {
  let format = relativeFormats.get(locale)
  if (!format) relativeFormats.set(locale, (format = new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' })))
  return format
}

function dateFormat(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale} ${JSON.stringify(options)}`
  let format = dateFormats.get(key)
  if (!format) dateFormats.set(key, (format = new Intl.DateTimeFormat(locale, { hourCycle: 'h23', ...options })))
  return format
}

/** "3 min ago" up to a week, then the date; the year only when it is not this one. */
export function formatAgo(at: Instant, now: number, locale: string, timeZone?: string): string {
  const millis = toMillis(at)
  const seconds = Math.round((millis - now) / 1000)
  const distance = Math.abs(seconds)
  if (distance < 5) return relativeFormat(locale).format(0, 'second')
  for (const [limit, unit, size] of STEPS) {
    if (distance < limit) return relativeFormat(locale).format(Math.trunc(seconds / size), unit)
  }
  const zone = timeZone ? { timeZone } : {}
  const year = dateFormat('en-CA', { year: 'numeric', ...zone })
  const sameYear = year.format(millis) === year.format(now)
  return dateFormat(locale, { month: 'short', day: 'numeric', ...(sameYear ? {} : { year: 'numeric' }), ...zone }).format(millis)
}

/** Narrow age for dense lists: "45s", "12m", "3h", "5d". */
export function formatAge(at: Instant, now: number, locale = 'en'): string {
  const seconds = Math.max(0, Math.floor((now - toMillis(at)) / 1000))
  const [value, unit] =
    seconds < 60 ? [seconds, 'second'] : seconds < 3600 ? [Math.floor(seconds / 60), 'minute'] : seconds < 86_400 ? [Math.floor(seconds / 3600), 'hour'] : [Math.floor(seconds / 86_400), 'day']
  return new Intl.NumberFormat(locale, { style: 'unit', unit: unit as string, unitDisplay: 'narrow' }).format(value as number)
}

/** Full date and time with seconds and zone, for the tooltip. */
export function formatExact(at: Instant, locale: string, timeZone?: string): string {
  return dateFormat(locale, { dateStyle: 'full', timeStyle: 'long', ...(timeZone ? { timeZone } : {}) }).format(toMillis(at))
}

/** "14:05" today, otherwise "Nov 3, 14:05". */
export function formatClock(at: Instant, now: number, locale: string, timeZone?: string): string {
  const zone = timeZone ? { timeZone } : {}
  const day = dateFormat('en-CA', { year: 'numeric', month: '2-digit', day: '2-digit', ...zone })
  const millis = toMillis(at)
  const time: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', ...zone }
  return dateFormat(locale, day.format(millis) === day.format(now) ? time : { month: 'short', day: 'numeric', ...time }).format(millis)
}

/** Remaining time as a clock: "0:09", "12:30", "3:05:00", "2 d 04:00"; negative values get a minus sign. */
export function formatRemaining(millis: number): string {
  const sign = millis < 0 ? '\u2212' : ''
  // Rounds away from zero for what is left: a countdown shows 0:00 only when nothing is left.
  const total = millis < 0 ? Math.floor(-millis / 1000) : Math.ceil(millis / 1000)
  const two = (n: number) => String(n).padStart(2, '0')
  const days = Math.floor(total / 86_400)
  const hours = Math.floor((total % 86_400) / 3600)
  const minutes = Math.floor((total % 3600) / 60)
  if (days > 0) return `${sign}${days} d ${two(hours)}:${two(minutes)}`
  if (hours > 0) return `${sign}${hours}:${two(minutes)}:${two(total % 60)}`
  return `${sign}${minutes}:${two(total % 60)}`
}

/** Bytes as a person reads them (powers of 1024, one digit below ten). */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`
}
