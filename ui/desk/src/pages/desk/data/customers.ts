import type { Customer, Identity } from '@steward/api'
import { useQuery } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { useI18n } from 'vue-i18n'
import { api, queryClient } from '../../../query'
import { useRefusalToast } from '../../../words'

export function useCustomer(id: MaybeRefOrGetter<string | undefined>) {
  const { t } = useI18n()
  const refused = useRefusalToast()
  const query = useQuery({
    queryKey: computed(() => ['customer', toValue(id)]),
    queryFn: ({ signal }) => api.get<Customer>(`/api/customers/${toValue(id)}`, {}, signal),
    enabled: computed(() => !!toValue(id)),
  })
  const key = () => ['customer', toValue(id)]

  async function change(patch: Partial<Customer>, request: () => Promise<unknown>): Promise<boolean> {
    const before = queryClient.getQueryData<Customer>(key())
    queryClient.setQueryData<Customer>(key(), (now) => now && { ...now, ...patch })
    try {
      await request()
      return true
    } catch (cause) {
      queryClient.setQueryData(key(), before)
      refused(cause, t('desk.failed.customer'))
      return false
    } finally {
      void queryClient.invalidateQueries({ queryKey: key() })
      void queryClient.invalidateQueries({ queryKey: ['customers'] })
      void queryClient.invalidateQueries({ queryKey: ['cases'] })
    }
  }
  type Editable = Partial<Pick<Customer, 'name' | 'company' | 'note' | 'language' | 'time_zone'>>
  return {
    query,
    save: (body: Editable) => change(body, () => api.patch(`/api/customers/${toValue(id)}`, body)),
    addIdentity: (kind: string, address: string) => change({}, () => api.post(`/api/customers/${toValue(id)}/identities`, { kind, address })),
    verify: (identity: Identity) => change({}, () => api.post(`/api/customers/${toValue(id)}/identities/verify`, { kind: identity.kind, address: identity.address })),
  }
}
