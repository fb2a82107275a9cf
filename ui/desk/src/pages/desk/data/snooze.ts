// The times an agent usually means by "later", computed from now. Pure.

export interface SnoozeChoice {
  id: 'hour' | 'three_hours' | 'evening' | 'tomorrow' | 'monday' | 'customer_morning'
  at: Date
}

const MINUTE = 60_000

/** The instant at which the clocks of `zone` show what `wall` says in UTC. Asked twice, for days on which clocks change. */
function instantOf(wall: number, zone: string): Date {
  const first = wall - zoneOffsetMinutes(new Date(wall), zone) * MINUTE
  return new Date(wall - zoneOffsetMinutes(new Date(first), zone) * MINUTE)
}

/** `now` as the clocks of `zone` show it, held in the UTC fields. */
function wallOf(now: Date, zone: string): Date {
  return new Date(now.getTime() + zoneOffsetMinutes(now, zone) * MINUTE)
}

function dayAt(now: Date, addDays: number, hour: number, zone: string): Date {
  const wall = wallOf(now, zone)
  return instantOf(Date.UTC(wall.getUTCFullYear(), wall.getUTCMonth(), wall.getUTCDate() + addDays, hour), zone)
}

/** What somebody in `zone` means by the text of a date-and-time field; null when it is no time. */
export function fieldInstant(text: string, zone: string): Date | null {
  const wall = Date.parse(`${text}Z`)
  return Number.isNaN(wall) ? null : instantOf(wall, zone)
}

export function ownZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'
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
  const today = dayAt(now, 0, 9, zone)
  return today.getTime() > now.getTime() ? today : dayAt(now, 1, 9, zone)
}

export function snoozeChoices(now: Date, customerZone?: string | null, zone: string = ownZone()): SnoozeChoice[] {
  const evening = dayAt(now, 0, 18, zone)
  const toMonday = (8 - wallOf(now, zone).getUTCDay()) % 7 || 7
  return [
    { id: 'hour', at: new Date(now.getTime() + 60 * MINUTE) },
    { id: 'three_hours', at: new Date(now.getTime() + 180 * MINUTE) },
    ...(evening.getTime() - now.getTime() > 60 * MINUTE ? [{ id: 'evening' as const, at: evening }] : []),
    { id: 'tomorrow', at: dayAt(now, 1, 9, zone) },
    ...(toMonday > 1 ? [{ id: 'monday' as const, at: dayAt(now, toMonday, 9, zone) }] : []),
    ...(customerZone ? [{ id: 'customer_morning' as const, at: nextMorning(now, customerZone) }] : []),
  ]
}
