// The rest of the world's mail server: accepts everything by SMTP and keeps it.
import net from 'node:net'

import { until } from './process.js'

/**
 * @returns {Promise<{ port: number, mails: Mail[], next: (match: (mail: Mail) => boolean) => Promise<Mail>, refuse: (reply: string | null) => void, stop: () => Promise<void> }>}
 * @typedef {{ from: string, to: string[], raw: string, headers: Map<string, string> }} Mail
 */
export async function startMailOut() {
  const mails = []
  const sockets = new Set()
  let refusal = null
  const server = net.createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => sockets.delete(socket))
    converse(socket, mails, () => refusal)
  })
  await new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    port: server.address().port,
    mails,
    next: (match) => until('a mail goes out', () => mails.find((mail) => match(mail))),
    /** Answers DATA with this reply instead of accepting it; null to accept again. */
    refuse: (reply) => {
      refusal = reply
    },
    stop: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(resolve)
      }),
  }
}

/** RFC 5321, the part a submitting server uses. */
function converse(socket, mails, refusal) {
  let buffer = ''
  let mail = fresh()
  let body = null
  const say = (line) => socket.write(`${line}\r\n`)
  const inData = (line) => {
    if (line !== '.') {
      body.push(line.startsWith('.') ? line.slice(1) : line)
      return
    }
    const reply = refusal()
    if (reply) {
      say(reply)
    } else {
      const raw = `${body.join('\r\n')}\r\n`
      mails.push({ ...mail, raw, headers: headers(raw) })
      say('250 2.0.0 kept')
    }
    body = null
    mail = fresh()
  }
  const command = (line) => {
    const address = line.match(/<([^>]*)>/)?.[1] ?? ''
    const verb = line.slice(0, 4).toUpperCase()
    if (verb === 'EHLO') say('250-sink\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-PIPELINING\r\n250-AUTH PLAIN LOGIN\r\n250 SIZE 52428800')
    else if (verb === 'AUTH') say('235 2.7.0 welcome')
    else if (verb === 'MAIL') {
      mail.from = address
      say('250 2.1.0 ok')
    } else if (verb === 'RCPT') {
      mail.to.push(address)
      say('250 2.1.5 ok')
    } else if (verb === 'DATA') {
      body = []
      say('354 go on')
    } else if (verb === 'QUIT') {
      say('221 2.0.0 bye')
      socket.end()
    } else {
      if (verb === 'RSET') mail = fresh()
      say('250 2.0.0 ok')
    }
  }
  say('220 sink ESMTP')
  socket.setEncoding('utf8')
  socket.on('data', (text) => {
    buffer += text
    for (let end = buffer.indexOf('\r\n'); end >= 0; end = buffer.indexOf('\r\n')) {
      const line = buffer.slice(0, end)
      buffer = buffer.slice(end + 2)
      if (body) inData(line)
      else command(line)
    }
  })
}

function fresh() {
  return { from: '', to: [] }
}

/** The header fields of a raw mail, unfolded, names in lower case; the first of equal names. */
export function headers(raw) {
  const fields = new Map()
  const block = raw.slice(0, raw.indexOf('\r\n\r\n')).replaceAll(/\r\n[ \t]+/g, ' ')
  for (const line of block.split('\r\n')) {
    const colon = line.indexOf(':')
    if (colon < 1) continue
    const name = line.slice(0, colon).toLowerCase()
    if (!fields.has(name)) fields.set(name, line.slice(colon + 1).trim())
  }
  return fields
}
