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
