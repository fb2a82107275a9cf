import type { Presence } from '@steward/api'
import { computed } from 'vue'
import { useI18n } from 'vue-i18n'
import { api } from '../query'
import { setMe, useSession } from '../session'
import { useRefusalToast } from '../words'

/** The own presence: shown at once, rolled back when the server refuses. */
export function useOwnPresence() {
  const { t } = useI18n()
  const { me } = useSession()
  const refused = useRefusalToast()
  async function setPresence(presence: Presence): Promise<void> {
    const before = me.value
    if (!before) return
    setMe({ ...before, presence })
    try {
      await api.put('/api/me/presence', { presence })
    } catch (cause) {
      setMe(before)
      refused(cause, t('shell.presence_failed'))
    }
  }
  return { presence: computed<Presence>(() => me.value?.presence ?? 'offline'), setPresence }
}
