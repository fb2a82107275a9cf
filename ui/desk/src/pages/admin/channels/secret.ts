// A secret the server shows once waits here from the dialog that made it to the page that shows it; never stored.
import { shallowRef } from 'vue'

const shown = shallowRef<{ channel: string; secret: string } | null>(null)

export function showSecretOnce(channel: string, secret: string): void {
  shown.value = { channel, secret }
}
export const useShownSecret = () => shown
