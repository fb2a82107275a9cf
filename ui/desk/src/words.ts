// Server answers in the reader's words. Codes come without prose; the catalogues hold the sentences.
import { asApiError, type Coded } from '@steward/api'
import { useToasts } from '@steward/kit'
import { i18n } from './i18n'

const translate = i18n.global.t as (key: string, params?: Record<string, unknown>) => string
const exists = i18n.global.te as (key: string) => boolean

/** "The case is closed" for `{code: "case_closed"}`; an unknown code is shown so that it can be reported. */
export function reasonText(reason: Coded): string {
  const key = `errors.${reason.code}`
  return exists(key) ? translate(key, reason.params ?? {}) : translate('errors.unknown', { code: reason.code })
}

export function errorText(cause: unknown): string {
  return reasonText(asApiError(cause))
}

/** An optimistic change that the server refused: says so after it was rolled back. */
export function useRefusalToast() {
  const toasts = useToasts()
  return (cause: unknown, what: string) => toasts.error(what, errorText(cause))
}
