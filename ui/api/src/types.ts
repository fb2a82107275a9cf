// Names for the shapes of the HTTP API that `schema.gen.ts` was made from (`npm run gen:api`), so that the type checker
// proves that the interface fits the server. Ids are UUID strings, times RFC 3339 strings, spans whole seconds.
// Where the description says only "text" or "object", the closed set of values stands here.
import type { components } from './schema.gen'

export type Schemas = components['schemas']
type Narrow<T, N> = Omit<T, keyof N> & N

export interface Page<T> { items: T[]; next: string | null }
export interface Items<T> { items: T[] }
export type Named = Schemas['NameRef']
export type ChannelKind = Schemas['ChannelKind']
export type Status = Schemas['StatusKey']
export type Priority = Schemas['Priority']
export type WaitingOn = Schemas['WaitingOn']
export type Presence = Schemas['Presence']
export interface Coded { code: string; params?: Record<string, unknown> }
export type Can = Schemas['Permit']

export type Workspace = Schemas['MyWorkspace']
export type Me = Narrow<Schemas['Me'], { preferences: Record<string, unknown> }>
export type AgentRow = Schemas['AgentOption']
export type PresenceRow = Schemas['AgentPresence']
export type Team = Schemas['Team']
export type Skill = Schemas['Skill']
export type Reason = Schemas['Reason']
export type ChannelRef = Schemas['ChannelRef']
export type Channel = Narrow<Schemas['ChannelSettings'], { settings: Record<string, unknown>; has_secrets: Record<string, boolean> }>

/** Any tree; the server knows its members better than a list header needs to. */
export type Filter = Record<string, unknown>
export type ViewSort = Schemas['Sort']
/** `count`: 1000 means "or more". */
export type View = Narrow<Schemas['View'], { filter: Filter }>

export type CaseRow = Schemas['CaseRow']
export type CaseCan = Schemas['Can']
export type Conversation = Schemas['Conversation']
export type Case = Schemas['Case']

export type Attachment = Schemas['Attachment']
export type Delivery = Schemas['DeliveryKey']
export type MailInfo = Schemas['MailFacts']
export type Message = Narrow<Schemas['Message'], { delivery_error: Coded | null }>
export type FailedMessage = Schemas['FailedMessage']
export type EventActor = Schemas['Person']
export type Entry =
  | Narrow<Extract<Schemas['Entry'], { type: 'message' }>, { message: Message }>
  | Narrow<Extract<Schemas['Entry'], { type: 'event' }>, { data: Record<string, unknown> }>

export type Assignment = Narrow<Schemas['Assignment'], {
  chosen: { user: Named; because: Coded[] } | null
  others: ({ user: Named } & Coded)[]
}>
export type Draft = Schemas['Draft']
export type Canned = Schemas['CannedReply']

export type Level = Schemas['Level']
export type Identity = Schemas['CustomerIdentity']
export type CustomerRow = Schemas['CustomerRow']
export type Customer = Schemas['Customer']
export type CreatedCase = Schemas['CreatedCase']

// The live stream's frames are no part of the HTTP description.
export type LiveEvent = Schemas['Happened'] & { t: 'event' }
export interface LiveSignal { t: 'signal'; kind: 'typing' | 'viewing' | 'left' | 'presence' | 'composing'; case_id: string | null; who: { kind: 'agent' | 'customer'; id: string; name: string } }
export type LiveFrame = { t: 'ready'; token: string } | LiveEvent | { t: 'refetch'; token?: string } | { t: 'beat'; now: string; token: string } | LiveSignal
export type LivePoll = Narrow<Schemas['Polled'], { events: LiveEvent[] }>
