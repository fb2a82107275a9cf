// Sending: the message stands in the timeline at once, under the id it keeps; when the server refuses, it goes away
// again and the text is back in the composer.
import { ApiError, asApiError, newId, type Attachment, type Case, type Entry, type Message } from '@steward/api'
import { useI18n } from 'vue-i18n'
import { api } from '../../../query'
import { useSession } from '../../../session'
import { useRefusalToast } from '../../../words'
import { acceptCase, dropMessage, putEntry, refreshCase } from './cases'
import { flushDraft } from './draft'

export interface Outgoing {
  note: boolean
  text: string
  html: string
  attachments: Attachment[]
  conversationId: string | null
  /** What becomes of the case with it. */
  next: 'stay' | 'waiting' | 'solved'
  /** The last message this agent had on screen. */
  seen: string | null
  mentions: string[]
}

export interface Collision {
  agent: string
  seconds: number
}

export type SendResult = { sent: true; messageId: string } | { sent: false; collision: Collision | null }

export function useSend() {
  const { t } = useI18n()
  const { me } = useSession()
  const refused = useRefusalToast()

  function shown(subject: Case, out: Outgoing, id: string): Entry & { type: 'message' } {
    const conversation = subject.conversations.find((entry) => entry.id === out.conversationId) ?? subject.conversations.at(-1)
    const at = new Date().toISOString()
    const held = new Date(Date.now() + (me.value?.workspace.undo_seconds ?? 0) * 1000).toISOString()
    const kind = conversation?.channel.kind ?? subject.channel.kind
    // Only what leaves by mail waits a while, so that it can be taken back.
    const waits = !out.note && (kind === 'email' || kind === 'webform')
    const message: Message = {
      id, conversation_id: conversation?.id ?? '', channel_kind: kind, at,
      author: { kind: 'agent', id: me.value?.id ?? null, name: me.value?.name ?? '' }, note: out.note, automatic: false, text: out.text, has_html: false, has_remote: false,
      quoted_text: '', attachments: out.attachments, delivery: out.note ? 'none' : waits ? 'held' : 'queued', delivery_error: null, held_until: waits ? held : null, mail: null,
    }
    return { type: 'message', at, message }
  }

  async function send(subject: Case, out: Outgoing, force = false): Promise<SendResult> {
    const id = newId()
    putEntry(subject.id, shown(subject, out, id))
    const attachments = out.attachments.map((file) => file.id)
    try {
      const answer = out.note
        ? await api.post(`/api/cases/${subject.id}/note`, { message_id: id, text: out.text, attachments, mentions: out.mentions }, { key: id })
        : await api.post(`/api/cases/${subject.id}/reply`, {
            message_id: id, ...(out.conversationId ? { conversation_id: out.conversationId } : {}), text: out.text, ...(out.html ? { html: out.html } : {}),
            attachments, seen: out.seen, force,
            // oxlint-disable-next-line unicorn/no-thenable -- the field's name on the wire; this object is never awaited
            then: out.next,
          }, { key: id })
      acceptCase(answer)
      return { sent: true, messageId: id }
    } catch (cause) {
      dropMessage(subject.id, id)
      const problem = asApiError(cause)
      const collision = collisionOf(problem)
      if (!collision) refused(problem, t(out.note ? 'desk.failed.note' : 'desk.failed.reply'))
      return { sent: false, collision }
    } finally {
      refreshCase(subject.id)
    }
  }

  /** Takes a message back while it is still held; answers whether it worked. */
  async function undo(caseId: string, messageId: string): Promise<boolean> {
    try {
      // The server puts the text back into the draft, beside what is there.
      await flushDraft(caseId)
      acceptCase(await api.post(`/api/messages/${messageId}/undo`))
      return true
    } catch (cause) {
      refused(cause, t('desk.failed.undo'))
      return false
    } finally {
      refreshCase(caseId)
    }
  }
  async function retry(caseId: string, messageId: string): Promise<void> {
    try {
      acceptCase(await api.post(`/api/messages/${messageId}/retry`))
    } catch (cause) {
      refused(cause, t('desk.failed.retry'))
    } finally {
      refreshCase(caseId)
    }
  }
  return { send, undo, retry }
}

function collisionOf(problem: ApiError): Collision | null {
  if (problem.code !== 'answered_meanwhile') return null
  const agent = problem.params['agent'] as { name?: string } | string | undefined
  return { agent: typeof agent === 'string' ? agent : (agent?.name ?? ''), seconds: Math.max(1, Number(problem.params['seconds_ago'] ?? 0)) }
}

/** Colleagues named with an @ in a note. */
export function mentionsIn(text: string, agents: readonly { id: string; name: string }[]): string[] {
  return agents.filter((agent) => text.includes(`@${agent.name}`)).map((agent) => agent.id)
}
