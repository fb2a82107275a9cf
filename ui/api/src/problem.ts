// RFC 9457 problem documents, as the server sends them and as the client makes them up for what never reached a server.

import type { Coded } from './types'

export class ApiError extends Error implements Coded {
  readonly status: number
  readonly code: string
  readonly params: Record<string, unknown>
  readonly fields: Record<string, Coded>

  constructor(status: number, code: string, params: Record<string, unknown> = {}, fields: Record<string, Coded> = {}) {
    super(`${status} ${code}`)
    this.name = 'ApiError'
    this.status = status
    this.code = code
    this.params = params
    this.fields = fields
  }

  /** Status 0: the request may or may not have arrived. */
  get isNetwork(): boolean {
    return this.status === 0
  }
}

/** Reads a refused answer; an answer that is no problem document becomes `unexpected_answer`. */
export async function problemOf(response: Response): Promise<ApiError> {
  try {
    const body = (await response.json()) as Partial<{ code: string; params: Record<string, unknown>; fields: Record<string, Coded> }>
    if (typeof body.code === 'string') return new ApiError(response.status, body.code, body.params ?? {}, body.fields ?? {})
  } catch {
    // A proxy's page instead of our answer.
  }
  return new ApiError(response.status, 'unexpected_answer', { status: response.status })
}

export function asApiError(cause: unknown): ApiError {
  return cause instanceof ApiError ? cause : new ApiError(0, 'network')
}
