// RFC 9457 problem documents as forms need them. The kit shows them; turning a code into words is the application's.
import { computed, inject, provide, type ComputedRef, type InjectionKey } from 'vue'

export interface Reason {
  code: string
  params?: Record<string, unknown>
}

export interface Problem extends Reason {
  status?: number
  fields?: Record<string, Reason>
}

interface FormErrors {
  of(field: string): string | undefined
}

const FORM_ERRORS: InjectionKey<FormErrors> = Symbol('form errors')

/** Called by a form: every FormField inside with a `name` shows the server's reason for that name. */
export function provideFormErrors(problem: () => Problem | null | undefined, words: (reason: Reason) => string): void {
  provide(FORM_ERRORS, {
    of: (field) => {
      const reason = problem()?.fields?.[field]
      return reason && words(reason)
    },
  })
}

export function useFieldError(name: () => string | undefined): ComputedRef<string | undefined> {
  const errors = inject(FORM_ERRORS, null)
  return computed(() => {
    const field = name()
    return field ? errors?.of(field) : undefined
  })
}
