// Hostile text in every field a customer can fill: nothing runs, nothing calls the attacker.
import assert from 'node:assert/strict'

import { createAgent, createCompany, createMailbox, createWebchat } from '../harness/api.js'
import { FOREIGN, payload, watched } from '../harness/attack.js'
import { person } from '../harness/browser.js'
import { enterDesk, message, numberOf, openRow, send, write } from '../harness/desk.js'
import { startMailIn } from '../harness/mail_in.js'
import { startMailOut } from '../harness/mail_out.js'
import { png } from '../harness/png.js'
import { until } from '../harness/process.js'
import { story } from '../harness/story.js'
import { bubble, identity, log, openChat, say } from '../harness/widget.js'

const HELP = 'help@shop.example'

/** A mail whose every part is hostile. */
function hostile() {
  const base64 = (text) => Buffer.from(text).toString('base64').replaceAll(/.{76}/g, '$&\r\n')
  const word = (text) => `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`
  const file = `"${payload('file').replaceAll(/["\\]/g, '\\$&')}.html"`
  return `${[
    `From: ${word(payload('sender'))} <eve@customer.example>`,
    `To: ${HELP}`,
    `Subject: ${word(`urgent ${payload('subject')}`)}`,
    'Message-ID: <hostile@customer.example>',
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary="b"',
    '',
    '--b',
    'Content-Type: text/html; charset=utf-8',
    'Content-Transfer-Encoding: base64',
    '',
    base64(`<html><head><meta http-equiv="refresh" content="0;url=${FOREIGN}/refresh"><base href="${FOREIGN}/"></head><body onload="fired('body')" background="${FOREIGN}/back.png">the hostile mail<div style="background:url(${FOREIGN}/style.png)">x</div>${payload('mail')}<form action="${FOREIGN}"><button autofocus onfocus="fired('focus')">go</button></form></body></html>`),
    '--b',
    `Content-Type: text/html; name=${file}`,
    `Content-Disposition: attachment; filename=${file}`,
    'Content-Transfer-Encoding: base64',
    '',
    base64(`<script>fired('attachment')</script>${payload('attachment')}`),
    '--b--',
  ].join('\r\n')}\r\n`
}

story('attack: hostile text in mail, chat, form and names never runs', { environment: { STEWARD_ALLOWED_NETWORKS: '127.0.0.0/8' } }, async (stage) => {
  const { server, enter, browser, later } = stage

  // The payload is real: on a page without defence every kind of it fires.
  const naive = await person(browser)
  const proof = []
  await watched(naive, proof)
  const calls = []
  await naive.context.route(/.*/, (route) => {
    if (route.request().url() === 'http://naive.example/') return route.fulfill({ contentType: 'text/html', body: `<!doctype html><title>n</title><body>${payload('naive')}` })
    calls.push(route.request().url())
    return route.abort()
  })
  await naive.page.goto('http://naive.example/')
  await until('the payload fires where nothing stops it', () => proof.length >= 5 && calls.some((url) => url.startsWith(FOREIGN)))
  await naive.close()

  const mailIn = later(await startMailIn([HELP]))
  const mailOut = later(await startMailOut())
  const owner = await createCompany(server.url)
  await owner.ask('PATCH', '/api/workspace', { undo_seconds: 0 })
  await createMailbox(owner, HELP, mailIn, mailOut)
  const channel = await createWebchat(owner)
  const form = await owner.ask('POST', '/api/channels', { kind: 'webform', name: payload('channel').slice(0, 60), settings: {} })
  const li = await createAgent(owner, `Li ${payload('agent')}`.slice(0, 100), 'li@shop.example')
  const people = [await enter(), await enter(), await enter()]
  const [agent, visitor, writer] = people
  const ran = []
  for (const one of people) await watched(one, ran)

  await mailIn.deliver(HELP, hostile())
  await openChat(visitor, server.url, channel.public_key)
  const signed = identity(channel.identity_secret, { aud: channel.public_key, sub: 'eve', name: payload('name').slice(0, 190) })
  await visitor.page.evaluate((jwt) => globalThis.stewardChat.identify(jwt), signed)
  await visitor.page.locator('steward-chat input[type=file]').setInputFiles({ name: `${payload('picture').slice(0, 90)}.png`.replaceAll('/', '_'), mimeType: 'image/png', buffer: png(9, 9, [1, 2, 3]) })
  await visitor.page.locator('steward-chat .pick-state').filter({ hasText: /\d+ (B|KB)/ }).waitFor()
  await say(visitor.page, `chat ${payload('chat')}`)
  await bubble(visitor.page, 'fired').waitFor()
  await writer.page.goto(`${server.url}/form/${form.public_key}`)
  await writer.page.locator('#name').fill(payload('form-name').slice(0, 190))
  await writer.page.locator('#email').fill('mallory@customer.example')
  await writer.page.locator('#subject').fill(`form ${payload('form-subject')}`.slice(0, 290))
  await writer.page.locator('#text').fill(payload('form-text'))
  await writer.page.getByRole('button', { name: /send|submit/i }).click()

  await enterDesk(agent, server.url, li)
  await until('all three are cases', async () => (await agent.page.getByRole('option').count()) === 3, 30_000)
  // By number, for an answer changes the order of the list.
  const numbers = await Promise.all((await agent.page.getByRole('option').all()).map(numberOf))
  for (const [at, number] of numbers.entries()) {
    await openRow(agent.page, agent.page.getByRole('option').filter({ has: agent.page.getByText(number, { exact: true }) }))
    for (const frame of await agent.page.locator('iframe').all()) await frame.contentFrame().getByText('the hostile mail').waitFor()
    const plain = agent.page.getByRole('button', { name: 'Show as plain text' })
    if (await plain.count()) await plain.first().click()
    await write(agent.page, 'r', `answer ${at} <img src=x onerror=fired(1)>`)
    await send(agent.page)
    await message(agent.page, `answer ${at}`).first().waitFor()
  }
  await bubble(visitor.page, /answer \d/).waitFor()
  await log(visitor.page).getByText('Li "').first().waitFor()
  await agent.page.goto(`${server.url}/customers`)
  await agent.page.getByText('fired').first().waitFor()
  assert.deepEqual(ran, [], 'hostile text ran')
})
