import type { Me } from '@steward/api'

/** What the server says to a try to sign in. */
export type SignInAnswer =
  | { status: 'signed_in'; me: Me }
  | { status: 'totp_required'; challenge: string }
  | { status: 'choose_workspace'; workspaces: { slug: string; name: string }[] }
