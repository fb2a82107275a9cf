// Mail against a real IMAP server: in with IDLE, out by SMTP, threads that hold.
import assert from 'node:assert/strict'

import { createAgent, createCompany, createMailbox, createWebchat } from '../harness/api.js'
import { enterDesk, message, openCase, row, send, write } from '../harness/desk.js'
import { startMailIn } from '../harness/mail_in.js'
import { startMailOut } from '../harness/mail_out.js'
import { mailText } from '../harness/mail_text.js'
import { png } from '../harness/png.js'
import { until } from '../harness/process.js'
import { story } from '../harness/story.js'
import { bubble, openChat, say } from '../harness/widget.js'

const HELP = 'help@shop.example'
const ZHANG = 'zhang@customer.example'
const TRACKER = 'https://pictures.elsewhere.example/seen.png'
/** Mail servers of a story are on this machine, which a server must be allowed to talk to. */
const HERE = { environment: { STEWARD_ALLOWED_NETWORKS: '127.0.0.0/8' } }

async function opening({ server, enter, later }) {
  const mailIn = later(await startMailIn([HELP]))
  const mailOut = later(await startMailOut())
  const owner = await createCompany(server.url)
  await owner.ask('PATCH', '/api/workspace', { undo_seconds: 0 })
  const mailbox = await createMailbox(owner, HELP, mailIn, mailOut)
  await owner.ask('PATCH', `/api/channels/${mailbox.id}`, { settings: { autoreply: true } })
  const li = await createAgent(owner, 'Li Na', 'li@shop.example')
  const agent = await enter()
  await enterDesk(agent, server.url, li)
  return { mailIn, mailOut, owner, agent }
}

/** An order mail as an office program writes it: GB18030 subject, HTML with an inline picture, an attachment. */
function order(id) {
  const html = `<p>你好，<b>花瓶</b>碎了。</p><img src="cid:vase@customer" alt="vase"><img src="${TRACKER}" alt=""><p><a href="https://customer.example/order">order</a></p>`
  const part = (head, bytes) => [...head, 'Content-Transfer-Encoding: base64', '', bytes.toString('base64').replaceAll(/.{76}/g, '$&\r\n')]
  return `${[
    `From: =?GB18030?B?${Buffer.from('D5C5CEB0', 'hex').toString('base64')}?= <${ZHANG}>`,
    `To: ${HELP}`,
    `Subject: =?GB18030?B?${Buffer.from('CDCBBBF5C9EAC7EB', 'hex').toString('base64')}?=`,
    `Date: ${new Date().toUTCString()}`,
    `Message-ID: ${id}`,
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary="outer"',
    '',
    '--outer',
    'Content-Type: multipart/related; boundary="inner"',
    '',
    '--inner',
    ...part(['Content-Type: text/html; charset=utf-8'], Buffer.from(html)),
    '--inner',
    ...part(['Content-Type: image/png; name="vase.png"', 'Content-ID: <vase@customer>', 'Content-Disposition: inline; filename="vase.png"'], png(64, 48, [30, 120, 60])),
    '--inner--',
    '--outer',
    ...part(['Content-Type: text/csv; charset=utf-8; name="invoice.csv"', 'Content-Disposition: attachment; filename="invoice.csv"'], Buffer.from('item,price\nvase,30\n')),
    '--outer--',
  ].join('\r\n')}\r\n`
}

const toZhang = (mail) => mail.to.includes(ZHANG)
const answers = (mail) => toZhang(mail) && !/auto-/.test(mail.headers.get('auto-submitted') ?? '')

story('mail: a mail becomes a case, the answer threads, replies come back, nothing foreign loads', HERE, async (stage) => {
  const { mailIn, mailOut, agent } = await opening(stage)
  const { page } = agent
  const id = '<order-1@customer.example>'
  await mailIn.deliver(HELP, order(id))
  await row(page, '退货申请').waitFor()
  await openCase(page, '退货申请')

  // Shown as it was made, behind the wall: the inline picture is there, the foreign one is not asked for.
  const frame = page.frameLocator('iframe[title="Mail from 张伟"]')
  await frame.getByText('花瓶').waitFor()
  const vase = frame.getByRole('img', { name: 'vase' })
  await until('the inline picture is drawn', () => vase.evaluate((image) => image.naturalWidth === 64))
  await page.getByRole('link', { name: /invoice\.csv/ }).first().waitFor()
  assert.deepEqual(agent.troubles(), [])
  let fetched = 0
  await agent.context.route(TRACKER, (route) => {
    fetched += 1
    return route.fulfill({ contentType: 'image/png', body: png(1, 1, [0, 0, 0]) })
  })
  agent.expect(/foreign request: https:\/\/pictures\.elsewhere\.example/)
  await page.getByRole('button', { name: 'Load pictures' }).click()
  await until('the foreign picture is fetched once asked for', () => fetched > 0)

  // The answer.
  await write(page, 'r', 'A new vase is on its way.')
  await send(page)
  const answer = await mailOut.next((mail) => answers(mail))
  assert.equal(answer.headers.get('in-reply-to'), id)
  assert.ok(answer.headers.get('references').includes(id), answer.headers.get('references'))
  assert.match(answer.headers.get('from'), /help@shop\.example/)
  const replyTo = answer.headers.get('reply-to').match(/<?([^<>\s]+@shop\.example)>?/)[1]
  assert.match(replyTo, /^help\+[^@]+@shop\.example$/)
  await message(page, 'A new vase is on its way.').getByText('Sent').waitFor()

  // Replies find the case by the headers, and by the keyed address alone.
  await mailIn.deliver(HELP, mailText({ from: ZHANG, to: replyTo, subject: 'Re: 退货申请', text: 'Thank you!', inReplyTo: answer.headers.get('message-id') }))
  await message(page, 'Thank you!').waitFor()
  await mailIn.deliver(HELP, mailText({ from: ZHANG, to: replyTo, subject: 'one more thing', text: 'Which carrier?' }))
  await message(page, 'Which carrier?').getByText('Matched by reply address').waitFor()
  await until('every mail is marked as seen', async () => (await mailIn.seen(HELP)).every(Boolean))

  // A machine that answers everything gets no answer.
  const before = mailOut.mails.filter(toZhang).length
  for (const n of [1, 2, 3]) {
    await mailIn.deliver(HELP, mailText({ from: ZHANG, to: replyTo, subject: 'Out of office', text: `I am away ${n}`, inReplyTo: answer.headers.get('message-id'), extra: ['Auto-Submitted: auto-replied'] }))
  }
  await message(page, 'I am away 3').getByText('Automatic').waitFor()
  await mailIn.deliver(HELP, mailText({ from: 'wu@other.example', to: HELP, subject: 'Opening hours', text: 'When are you open?' }))
  await mailOut.next((mail) => mail.to.includes('wu@other.example'))
  assert.equal(mailOut.mails.filter(toZhang).length, before, 'an automatic mail was answered')
  await row(page, 'Opening hours').waitFor()
  assert.equal(await page.getByRole('option').count(), 2, 'one case per thread')
})

story('mail: who leaves the chat gets the answer by mail, and the reply finds the case', HERE, async (stage) => {
  const { mailIn, mailOut, owner, agent } = await opening(stage)
  const channel = await createWebchat(owner)
  await owner.ask('PATCH', `/api/channels/${channel.id}`, { settings: { followup_seconds: 1 } })
  const visitor = await stage.enter()
  await openChat(visitor, stage.server.url, channel.public_key)
  await say(visitor.page, 'Do you ship to Norway?')
  await bubble(visitor.page, 'Do you ship to Norway?').waitFor()
  await openCase(agent.page, 'Do you ship to Norway?')
  await visitor.page.getByRole('dialog').getByRole('button', { name: 'Minimise' }).click()
  await visitor.page.getByRole('textbox', { name: /e-mail/i }).fill('ola@customer.example')
  await visitor.page.getByRole('button', { name: 'Submit' }).click()
  await visitor.page.getByRole('dialog').waitFor({ state: 'detached' })
  await visitor.page.goto('about:blank')

  await write(agent.page, 'r', 'Yes, in five days.')
  await send(agent.page)
  const mail = await mailOut.next((found) => found.to.includes('ola@customer.example'))
  const body = mail.raw.includes('base64') ? [...mail.raw.matchAll(/\r\n\r\n([A-Za-z0-9+/=\r\n]{40,})/g)].map(([, text]) => Buffer.from(text, 'base64').toString()).join('\n') : mail.raw
  assert.match(body, /Yes, in five days\./)
  await mailIn.deliver(HELP, mailText({ from: 'ola@customer.example', to: mail.headers.get('reply-to') ?? HELP, subject: 'Re: your chat', text: 'Great, I order today.', inReplyTo: mail.headers.get('message-id') }))
  await message(agent.page, 'Great, I order today.').waitFor()
  assert.equal(await agent.page.getByRole('option').count(), 1)
})
