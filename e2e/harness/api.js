// The product's HTTP API as an owner uses it, to prepare a story; what the story is about is done
// in the browser.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'

export const OWNER = { name: 'Wang Fang', email: 'owner@shop.example', password: 'correct horse battery staple 7' }
const PASSWORD = 'a quiet river under the old bridge 4'

/** A signed-in caller with its own cookies. */
export class Caller {
  #cookies = new Map()

  constructor(url) {
    this.url = url
  }

  /** Sends JSON and returns JSON; anything but 2xx is an error that shows the answer. */
  async ask(method, path, body) {
    const response = await this.raw(method, path, body)
    const text = await response.text()
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`)
    return text ? JSON.parse(text) : null
  }

  async raw(method, path, body) {
    const headers = { 'X-Steward-Client': 'story', Origin: this.url }
    if (method !== 'GET') headers['Idempotency-Key'] = randomUUID()
    if (body !== undefined) headers['Content-Type'] = 'application/json'
    if (this.#cookies.size > 0) headers.Cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(this.url + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: 'manual',
    })
    for (const cookie of response.headers.getSetCookie()) {
      const [name, value] = cookie.split(';', 1)[0].split(/=(.*)/s)
      if (value) this.#cookies.set(name, value)
      else this.#cookies.delete(name)
    }
    return response
  }
}

/** Creates the company and its owner on an empty server. */
export async function createCompany(url, locale = 'en') {
  const owner = new Caller(url)
  await owner.ask('POST', '/api/setup', { company: 'Harbour Shop', ...OWNER, locale, time_zone: 'Asia/Shanghai' })
  return owner
}

/**
 * Invites an agent and accepts for them.
 * @returns {Promise<{ caller: Caller, id: string, name: string, email: string, password: string }>}
 */
export async function createAgent(owner, name, email, locale = 'en') {
  const roles = await owner.ask('GET', '/api/roles')
  const role = roles.items.find((candidate) => candidate.key === 'agent')
  const invitation = await owner.ask('POST', '/api/invitations', { email, name, roles: [{ role: role.id }], teams: [] })
  const token = invitation.link.split('/').pop().split('=').pop()
  const caller = new Caller(owner.url)
  const me = await caller.ask('POST', '/api/invitations/accept', { token, name, password: PASSWORD })
  await caller.ask('PATCH', '/api/me', { locale })
  return { caller, id: me.id, name, email, password: PASSWORD }
}

export function createWebchat(owner, name = 'Shop chat') {
  const settings = { origins: [], color: '#0f766e', greeting_zh: '您好，请问有什么可以帮您？', greeting_en: 'Hello, how can we help?', ask_email: true }
  return owner.ask('POST', '/api/channels', { kind: 'webchat', name, settings })
}

/** A mailbox channel on the story's own dovecot and mail sink. */
export function createMailbox(owner, address, mailIn, mailOut) {
  const settings = {
    address,
    display_name: 'Harbour Shop',
    receive: 'imap',
    imap: { host: '127.0.0.1', port: mailIn.port, security: 'none', user: address },
    imap_password: mailIn.password,
    smtp: { host: '127.0.0.1', port: mailOut.port, security: 'none', user: address },
    smtp_password: mailIn.password,
    signature: 'Harbour Shop',
    autoreply: false,
  }
  return owner.ask('POST', '/api/channels', { kind: 'email', name: 'Help mailbox', settings })
}
