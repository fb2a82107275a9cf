// Shapes of the HTTP API. Ids are UUID strings, times RFC 3339 strings, spans whole seconds.

export interface Page<T> { items: T[]; next: string | null }
export interface Items<T> { items: T[] }
export interface Named { id: string; name: string }
export type ChannelKind = 'webchat' | 'email' | 'webform' | 'api' | 'phone' | 'counter'
export type Status = 'new' | 'open' | 'waiting' | 'snoozed' | 'solved' | 'closed'
export type Priority = 'low' | 'normal' | 'high' | 'urgent'
export type WaitingOn = 'customer' | 'third_party'
export type Presence = 'online' | 'busy' | 'away' | 'offline'
export interface Coded { code: string; params?: Record<string, unknown> }
export interface Can { allowed: boolean; reason?: Coded | string | null }

export interface Workspace { id: string; name: string; slug: string; locale: string; time_zone: string; require_totp: boolean; undo_seconds: number }
export interface Me {
  id: string; name: string; email: string; locale: string | null; time_zone: string | null; languages: string[]; signature: string | null
  preferences: Record<string, unknown>; is_owner: boolean; totp_enabled: boolean; must_enroll_totp: boolean
  permissions: string[]; teams: Named[]; presence: Presence; workspace: Workspace
}
export interface AgentRow { id: string; name: string; active: boolean; teams: string[] }
export interface PresenceRow { user: Named; presence: Presence; connected: boolean; since: string; load: Partial<Record<ChannelKind, number>>; capacity: Partial<Record<ChannelKind, number>> }
export interface Team extends Named { description?: string | null; members?: string[] }
export interface Skill extends Named {}
export interface Reason { id: string; parent_id: string | null; name_zh: string; name_en: string; required_skills?: string[]; active: boolean; position: number }
export interface ChannelRef extends Named { kind: ChannelKind }
export interface Channel extends ChannelRef {
  brand: string | null; public_key: string | null; active: boolean; team_id: string | null; language: string | null
  required_skills: string[]; settings: Record<string, unknown>; has_secrets: Record<string, boolean>
}

export type Filter = Record<string, unknown>
export type ViewSort = 'waiting' | 'newest' | 'oldest' | 'priority'
export interface View { id: string; name: string; scope: 'builtin' | 'mine' | 'team' | 'shared'; team_id: string | null; filter: Filter; sort: ViewSort; /** 1000 means "or more". */ count: number | null; editable?: boolean }

export interface CaseRow {
  id: string; number: number; subject: string; preview: string; status: Status; waiting_on: WaitingOn | null; snoozed_until: string | null; priority: Priority
  channel: ChannelRef; customer: Named; assignee: Named | null; team: Named | null; reason: { id: string; name_zh: string; name_en: string } | null
  tags: string[]; language: string | null; opened_at: string; last_message_at: string | null; waiting_since: string | null; solved_at: string | null
  version: number; unread: boolean
}
export interface CaseCan {
  reply: Can; note: Can; assign: Can; pick: Can; snooze: Can; edit: Can; move?: Can
  status: Partial<Record<Status, Can>>
}
export interface Conversation { id: string; channel: ChannelRef; opened_at: string }
export interface Case extends CaseRow { conversations: Conversation[]; required_skills: Named[]; reopened: number; can: CaseCan }

export interface Attachment { id: string; name: string; mime: string; size: number; inline?: boolean; width: number | null; height: number | null; url: string }
export type Delivery = 'none' | 'held' | 'queued' | 'sent' | 'failed' | 'cancelled'
export interface MailInfo {
  from: string; to: string[]; cc: string[]; subject: string | null; match_reason: string | null
  sender: 'participant' | 'stranger' | null; unparsable: boolean
}
export interface Message {
  id: string; conversation_id: string; channel_kind: ChannelKind; at: string; author: { kind: 'customer' | 'agent' | 'system'; id: string | null; name: string }
  note: boolean; automatic: boolean; text: string; has_html: boolean; quoted_text: string | null; attachments: Attachment[]
  delivery: Delivery; delivery_error: Coded | null; held_until: string | null; mail: MailInfo | null
}
export interface EventActor { kind: string; id: string | null; name: string | null }
export type Entry =
  | { type: 'message'; at: string; message: Message }
  | { type: 'event'; at: string; actor: EventActor; kind: string; data: Record<string, unknown>; /** Names of the ids in `data`. */ names?: Record<string, string> }

export interface Assignment {
  at: string; user: Named | null; team: Named | null; waited_seconds: number
  chosen: { user: Named; because: Coded[] } | null
  others: ({ user: Named } & Coded)[]
  /** How many more were looked at and are not named. */
  omitted?: number
}
export interface Draft { text: string; html: string | null; note: boolean; attachments: Attachment[]; updated_at: string | null }
export interface Canned { id: string; shortcut: string; title: string; language: string | null; team_id: string | null; body: string; uses: number }

export type Level = 'claimed' | 'channel' | 'verified'
export interface Identity { kind: string; address: string; level: Level }
export interface CustomerRow { id: string; name: string; language: string | null; company: string | null; identities: Identity[] }
export interface Customer extends CustomerRow { time_zone: string | null; note: string | null; cases: { open: number; total: number }; recent: CaseRow[]; editable?: boolean }
export interface CreatedCase { id: string; number: number; message_id: string }

export interface LiveEvent { t: 'event'; token: string; kind: string; subject_kind: string; subject_id: string; case_id: string | null; actor: string; at: string }
export interface LiveSignal { t: 'signal'; kind: 'typing' | 'viewing' | 'left' | 'presence' | 'composing'; case_id: string | null; who: { kind: 'agent' | 'customer'; id: string; name: string } }
export type LiveFrame = { t: 'ready'; token: string } | LiveEvent | { t: 'refetch'; token?: string } | { t: 'beat'; now: string; token: string } | LiveSignal
export interface LivePoll { token: string; events: LiveEvent[]; refetch: boolean }
