// The times an agent usually means by "later", computed from now. Pure.

export interface SnoozeChoice {
  id: 'hour' | 'three_hours' | 'evening' | 'tomorrow' | 'monday' | 'customer_morning'
  at: Date
}

const MINUTE = 60_000

function dayAt(now: Date, addDays: number, hour: number): Date {
  const date = new Date(now)
  date.setDate(date.getDate() + addDays)
  date.setHours(hour, 0, 0, 0)
  return date
}

/** Minutes that `zone` is ahead of UTC at `at`; 0 when the zone is unknown. */
export function zoneOffsetMinutes(at: Date, zone: string): number {
  try {
    const parts = Object.fromEntries(
      new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' })
        .formatToParts(at)
        .map((part) => [part.type, Number(part.value)]),
    ) as Record<string, number>
    const local = Date.UTC(parts['year'] ?? 0, (parts['month'] ?? 1) - 1, parts['day'] ?? 1, parts['hour'] ?? 0, parts['minute'] ?? 0, parts['second'] ?? 0)
    return Math.round((local - Math.floor(at.getTime() / 1000) * 1000) / MINUTE)
  } catch {
    return 0
  }
}

/** The next 9:00 in the customer's zone. */
export function nextMorning(now: Date, zone: string): Date {
  const offset = zoneOffsetMinutes(now, zone) * MINUTE
  const local = new Date(now.getTime() + offset)
  local.setUTCHours(9, 0, 0, 0)
  if (local.getTime() - offset <= now.getTime()) local.setUTCDate(local.getUTCDate() + 1)
  return new Date(local.getTime() - offset)
}

export function snoozeChoices(now: Date, customerZone?: string | null): SnoozeChoice[] {
  const evening = dayAt(now, 0, 18)
  const toMonday = (8 - now.getDay()) % 7 || 7
  return [
    { id: 'hour', at: new Date(now.getTime() + 60 * MINUTE) },
    { id: 'three_hours', at: new Date(now.getTime() + 180 * MINUTE) },
    ...(evening.getTime() - now.getTime() > 60 * MINUTE ? [{ id: 'evening' as const, at: evening }] : []),
    { id: 'tomorrow', at: dayAt(now, 1, 9) },
    ...(toMonday > 1 ? [{ id: 'monday' as const, at: dayAt(now, toMonday, 9) }] : []),
    ...(customerZone ? [{ id: 'customer_morning' as const, at: nextMorning(now, customerZone) }] : []),
  ]
}
