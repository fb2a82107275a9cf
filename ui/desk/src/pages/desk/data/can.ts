// Why something is not allowed, as the server said it. The page never works that out by itself.
import type { Coded } from '@steward/api'
import { reasonText } from '../../../words'

export function refusal(can: { allowed: boolean; reason?: unknown } | undefined): string | undefined {
  if (!can || can.allowed || !can.reason) return undefined
  return reasonText(typeof can.reason === 'string' ? { code: can.reason } : (can.reason as Coded))
}
