export type Tone = 'neutral' | 'accent' | 'ok' | 'warn' | 'danger' | 'info' | 'violet'
export type PresenceState = 'online' | 'busy' | 'away' | 'offline'
