// Answers of the administration's routes.
import type { ChannelKind, Coded, Named } from '@steward/api'

export interface HeldRole { role: Named; team: Named | null; channel: Named | null }
export interface Person {
  id: string; name: string; email: string; active: boolean; is_owner: boolean; totp_enabled: boolean; languages: string[]
  roles: HeldRole[]; teams: Named[]; skills: Named[]; capacity: Partial<Record<ChannelKind, number>>; invited: boolean; last_seen_at: string | null
}
export interface Grant { role: string; team: string | null; channel: string | null }
export interface Invitation { id: string; email: string; name: string; created_at: string; expires_at: string; expired: boolean }
export interface Role { id: string; key: string | null; name: string; permissions: string[]; builtin: boolean }
export interface Policy { team: Named | null; inherited: boolean; policy: TeamPolicy }
export interface TeamPolicy { language_relax_seconds: number | null; previous_agent: boolean; max_wait_alarm_seconds: number | null; automatic: ChannelKind[] }
export interface ApiToken { id: string; name: string; scopes: string[]; channel: Named | null; created_by: Named; created_at: string; expires_at: string | null; last_used_at: string | null }
export interface WorkspaceSettings { name: string; slug: string; locale: string; time_zone: string; require_totp: boolean; undo_seconds: number; collision_seconds: number; close_after_days: number }
export interface AuditItem { id: string; at: string; actor: { kind: string; id: string | null; name: string | null }; kind: string; subject_kind: string; subject_id: string; data: Record<string, unknown> }
export interface CheckLine extends Coded { key: string; state: 'ok' | 'warn' | 'fail' }
export interface SessionInfo { id: string; created_at: string; last_seen_at: string; user_agent: string; address: string; current: boolean }
