// Files on their way from the composer to the server.
import { newId, type Attachment } from '@steward/api'
import { computed, onScopeDispose, ref } from 'vue'
import { api } from '../../../query'
import { errorText } from '../../../words'

export interface PendingFile {
  id: string
  name: string
  size: number
  error?: string
}

export function useUploads(content: { attachments: Attachment[] }) {
  const pending = ref<PendingFile[]>([])
  const aborts = new Map<string, AbortController>()
  const forget = (id: string) => {
    pending.value = pending.value.filter((file) => file.id !== id)
    aborts.delete(id)
  }

  async function upload(file: File, keep: boolean): Promise<Attachment | null> {
    const id = newId()
    const abort = new AbortController()
    aborts.set(id, abort)
    pending.value = [...pending.value, { id, name: file.name, size: file.size }]
    try {
      const stored = await api.upload<Attachment>('/api/attachments', file, abort.signal)
      content.attachments = [...content.attachments, keep ? stored : { ...stored, inline: true }]
      forget(id)
      return stored
    } catch (cause) {
      if (abort.signal.aborted) forget(id)
      else pending.value = pending.value.map((entry) => (entry.id === id ? { ...entry, error: errorText(cause) } : entry))
      return null
    }
  }
  onScopeDispose(() => aborts.forEach((abort) => abort.abort()))
  return {
    pending,
    busy: computed(() => pending.value.some((file) => !file.error)),
    add: (files: File[]) => files.forEach((file) => void upload(file, true)),
    /** Uploads a pasted picture and answers its address for the editor. */
    image: async (file: File) => (await upload(file, false))?.url ?? '',
    remove: (id: string) => (content.attachments = content.attachments.filter((file) => file.id !== id)),
    cancel: (id: string) => {
      aborts.get(id)?.abort()
      forget(id)
    },
  }
}
