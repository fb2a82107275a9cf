// Mails as a customer's program writes them.
import { randomUUID } from 'node:crypto'

/**
 * A raw mail with CRLF line ends.
 * @param {{ from: string, to: string, subject: string, text: string, html?: string, inReplyTo?: string, references?: string, id?: string, extra?: string[] }} mail
 */
export function mailText(mail) {
  const head = [
    `From: ${mail.from}`,
    `To: ${mail.to}`,
    `Subject: ${encoded(mail.subject)}`,
    `Date: ${new Date().toUTCString()}`,
    `Message-ID: ${mail.id ?? `<${randomUUID()}@customer.example>`}`,
    ...(mail.inReplyTo ? [`In-Reply-To: ${mail.inReplyTo}`, `References: ${mail.references ?? mail.inReplyTo}`] : []),
    ...(mail.extra ?? []),
    'MIME-Version: 1.0',
  ]
  if (!mail.html) {
    return lines([...head, 'Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: base64', '', base64(mail.text)])
  }
  const boundary = `b-${randomUUID()}`
  const part = (type, text) => [`--${boundary}`, `Content-Type: text/${type}; charset=utf-8`, 'Content-Transfer-Encoding: base64', '', base64(text)]
  return lines([
    ...head,
    `Content-Type: multipart/alternative; boundary="${boundary}"`,
    '',
    ...part('plain', mail.text),
    ...part('html', mail.html),
    `--${boundary}--`,
  ])
}

function lines(all) {
  return `${all.join('\r\n')}\r\n`
}

function encoded(text) {
  // RFC 2047; short subjects only, so one encoded word is enough.
  return /^[\x20-\x7e]*$/.test(text) ? text : `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`
}

function base64(text) {
  return Buffer.from(text).toString('base64').replaceAll(/.{76}/g, '$&\r\n')
}

/** The text of a sent mail with its transfer encodings undone, part after part. */
export function plainText(raw) {
  const parts = raw.split(/\r\n--[^\r\n]+\r\n/)
  return parts
    .map((part) => {
      const end = part.indexOf('\r\n\r\n')
      const [head, body] = [part.slice(0, end).toLowerCase(), part.slice(end + 4)]
      if (head.includes('encoding: base64')) return Buffer.from(body, 'base64').toString('utf8')
      if (!head.includes('encoding: quoted-printable')) return body
      const bytes = body.replaceAll('=\r\n', '').replaceAll(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
      return Buffer.from(bytes, 'latin1').toString('utf8')
    })
    .join('\r\n')
}

/** The link to this server that a sent mail asks its reader to open. */
export function linkIn(mail, url) {
  const text = plainText(mail.raw)
  const link = text.match(new RegExp(`${url.replaceAll('.', '\\.')}/[^\\s"<>]+`))?.[0]
  if (!link) throw new Error(`no link to ${url} in: ${text}`)
  return link
}
