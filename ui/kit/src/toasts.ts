// Short messages at the edge of the page. A toast with an action (undo, retry) stays longer, because somebody must be
// able to reach it.
import { shallowRef, triggerRef } from 'vue'

export interface Toast {
  id: number
  kind: 'info' | 'ok' | 'warn' | 'error'
  text: string
  detail?: string
  action?: { label: string; keys?: string; run: () => void }
  /** Milliseconds until it leaves; 0 = stays until closed. */
  lasts: number
  /** A newer one of the same name takes its place. */
  slot?: string
}

export type ToastInput = Pick<Toast, 'text'> & Partial<Omit<Toast, 'id' | 'text'>>

const MAX_TOASTS = 4
const toasts = shallowRef<Toast[]>([])
let nextId = 1

function dismiss(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id)
}

function show(input: ToastInput): number {
  const id = nextId++
  const lasts = input.lasts ?? (input.action ? 8000 : input.kind === 'error' ? 8000 : 4000)
  const others = input.slot ? toasts.value.filter((toast) => toast.slot !== input.slot) : toasts.value
  toasts.value = [...others, { kind: 'info' as const, ...input, id, lasts }].slice(-MAX_TOASTS)
  triggerRef(toasts)
  return id
}

export function useToasts() {
  return {
    toasts,
    show,
    dismiss,
    /** Takes away what a slot shows. */
    clear: (slot: string) => (toasts.value = toasts.value.filter((toast) => toast.slot !== slot)),
    ok: (text: string, action?: Toast['action']) => show({ kind: 'ok', text, ...(action ? { action } : {}) }),
    error: (text: string, detail?: string) => show({ kind: 'error', text, ...(detail ? { detail } : {}) }),
  }
}
