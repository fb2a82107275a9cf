// What a FormField tells the control inside it, so that label, hint and error are announced together.
import { computed, inject, useId, type ComputedRef, type InjectionKey } from 'vue'

export interface FieldContext {
  id: string
  describedBy: ComputedRef<string | undefined>
  invalid: ComputedRef<boolean>
  required: ComputedRef<boolean>
}

export const FIELD: InjectionKey<FieldContext> = Symbol('form field')

/** Attributes for the focusable element of a control. */
export function useFieldAttributes() {
  const field = inject(FIELD, null)
  const id = field?.id ?? useId()
  return computed(() => ({
    id,
    'aria-describedby': field?.describedBy.value,
    'aria-invalid': field?.invalid.value ? ('true' as const) : undefined,
    'aria-required': field?.required.value ? ('true' as const) : undefined,
  }))
}
