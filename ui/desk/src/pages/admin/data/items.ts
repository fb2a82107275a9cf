// Lists of configured things, and one way to save, undo and delete them.
import { ApiError, type Items } from '@steward/api'
import { useToasts } from '@steward/kit'
import { useQuery } from '@tanstack/vue-query'
import { computed, shallowRef } from 'vue'
import { useI18n } from 'vue-i18n'
import { useForm } from '../../../form'
import { api, queryClient } from '../../../query'
import { errorText, useRefusalToast } from '../../../words'

export function queryState(query: { isPending: { value: boolean }; isError: { value: boolean }; error: { value: unknown } }): 'loading' | 'error' | 'denied' | 'ready' {
  if (query.isPending.value) return 'loading'
  if (!query.isError.value) return 'ready'
  return query.error.value instanceof ApiError && query.error.value.status === 403 ? 'denied' : 'error'
}

export function useItems<T>(key: string, path = `/api/${key}`) {
  const query = useQuery({ queryKey: [key], queryFn: ({ signal }) => api.get<Items<T>>(path, {}, signal) })
  return {
    query,
    items: computed(() => query.data.value?.items ?? []),
    list: computed(() => ({ state: queryState(query), reason: query.isError.value ? errorText(query.error.value) : undefined, onRetry: () => void query.refetch() })),
  }
}

/** Which thing is open in the dialog: `null` is a new one. */
export function useEditor<T>() {
  const editing = shallowRef<{ item: T | null } | null>(null)
  return {
    editing,
    add: () => (editing.value = { item: null }),
    edit: (item: T) => (editing.value = { item }),
    close: () => (editing.value = null),
  }
}

export async function refetch(keys: readonly string[]): Promise<void> {
  await Promise.all(keys.map((key) => queryClient.invalidateQueries({ queryKey: [key] })))
}

interface Crud {
  /** `/api/teams` */
  path: string
  /** Queries that show it. */
  keys: string[]
  /** Fields of the form that show their own refusals. */
  fields: string[]
}

export function useCrud<T>({ path, keys, fields }: Crud) {
  const { t } = useI18n()
  const toasts = useToasts()
  const refused = useRefusalToast()
  const form = useForm(fields)

  async function undo(id: string, before: unknown): Promise<void> {
    try {
      await api.patch(`${path}/${id}`, before)
      await refetch(keys)
      toasts.ok(t('admin.undone'))
    } catch (cause) {
      refused(cause, t('admin.not_undone'))
    }
  }

  /** Makes a new thing, or changes one; `before` holds the old values, for undo. Answers what the server answered. */
  async function save(item: { id: string; name: string } | null, body: unknown, name: string, before?: unknown): Promise<T | undefined> {
    const done = await form.run(() => (item ? api.patch<T>(`${path}/${item.id}`, body) : api.post<T>(path, body)))
    if (!done) return undefined
    await refetch(keys)
    toasts.ok(t(item ? 'admin.saved' : 'admin.created', { name }), item && before ? { label: t('admin.undo'), run: () => void undo(item.id, before) } : undefined)
    return done.answer
  }

  async function remove(item: { id: string }, name: string): Promise<boolean> {
    const done = await form.run(() => api.delete(`${path}/${item.id}`))
    if (!done) return false
    await refetch(keys)
    toasts.ok(t('admin.deleted', { name }))
    return true
  }
  return { ...form, save, remove }
}
