// One form: what the server refused, by field, and whether it is at work.
import { ApiError, asApiError, type Coded } from '@steward/api'
import { provideFormErrors } from '@steward/kit'
import { computed, ref, shallowRef } from 'vue'
import { reasonText } from './words'

/** Settings of a channel are refused with or without the name of the document around them. */
function withoutPrefix(error: ApiError): ApiError {
  const fields: Record<string, Coded> = {}
  for (const [name, reason] of Object.entries(error.fields)) {
    fields[name] = reason
    fields[name.replace(/^settings\./, '')] = reason
  }
  return new ApiError(error.status, error.code, error.params, fields)
}

/**
 * Call it in the component that holds the fields. `names` are the fields that show their own reason; whatever else the
 * server refuses is said by `refusal`, so nothing is ever refused in silence.
 */
export function useForm(names: readonly string[] = []) {
  const problem = shallowRef<ApiError | null>(null)
  const busy = ref(false)
  provideFormErrors(() => problem.value, reasonText)

  const refusal = computed(() => {
    if (!problem.value) return undefined
    const entries = Object.entries(problem.value.fields)
    if (entries.some(([name]) => names.includes(name))) return undefined
    const [first] = entries
    return first ? `${reasonText(first[1])} (${first[0]})` : reasonText(problem.value)
  })

  /** Runs one request; answers `undefined` when it was refused. */
  async function run<T>(request: () => Promise<T>): Promise<{ answer: T } | undefined> {
    if (busy.value) return undefined
    busy.value = true
    problem.value = null
    try {
      return { answer: await request() }
    } catch (cause) {
      problem.value = withoutPrefix(asApiError(cause))
      return undefined
    } finally {
      busy.value = false
    }
  }
  return { problem, busy, refusal, run, clear: () => (problem.value = null) }
}
