// The network breaks while both sides write: nothing is missing, nothing is there twice.
import assert from 'node:assert/strict'

import { createAgent, createCompany, createWebchat } from '../harness/api.js'
import { enterDesk, message, openCase, send, times, write } from '../harness/desk.js'
import { until } from '../harness/process.js'
import { story } from '../harness/story.js'
import { bubble, identity, openChat, say, showChat, thread } from '../harness/widget.js'

/** What a browser reports when the network or the server is away. */
const CUT = /ERR_INTERNET_DISCONNECTED|ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_FAILED|ERR_NETWORK|WebSocket connection|502|503/

async function opening({ server, enter }) {
  const owner = await createCompany(server.url)
  await owner.ask('PATCH', '/api/workspace', { undo_seconds: 0 })
  const channel = await createWebchat(owner)
  const li = await createAgent(owner, 'Li Na', 'li@shop.example')
  const agent = await enter()
  await enterDesk(agent, server.url, li)
  const visitor = await enter()
  for (const one of [agent, visitor]) one.expect(CUT)
  await openChat(visitor, server.url, channel.public_key)
  await say(visitor.page, 'first')
  await bubble(visitor.page, 'first').waitFor()
  await openCase(agent.page, 'first')
  return { agent, visitor, channel, owner, li }
}

story('reconnect: the visitor loses the network, the server is killed, and every message is there once', {}, async (stage) => {
  const { server } = stage
  const { agent, visitor } = await opening(stage)

  // The visitor writes without a network; the agent answers meanwhile.
  await visitor.context.setOffline(true)
  await say(visitor.page, 'written in a tunnel')
  await say(visitor.page, 'and another line')
  await write(agent.page, 'r', 'answer while you were away')
  await send(agent.page)
  await message(agent.page, 'answer while you were away').waitFor()
  assert.equal(await bubble(visitor.page, 'answer while you were away').count(), 0, 'the network was not cut')
  await visitor.context.setOffline(false)
  await bubble(visitor.page, 'answer while you were away').waitFor()
  await message(agent.page, 'and another line').waitFor()

  // The server dies under both while both send.
  await write(agent.page, 'r', 'answer into the crash')
  await Promise.all([say(visitor.page, 'question into the crash'), send(agent.page), server.crash()])
  await say(visitor.page, 'question to a dead server')
  await server.launch()
  await message(agent.page, 'question to a dead server').waitFor({ timeout: 30_000 })

  // The agent's answer went out, or stands in the composer again and is sent from there: it was never lost.
  await until('the answer arrives', async () => {
    if (await bubble(visitor.page, 'answer into the crash').count()) return true
    const box = agent.page.getByRole('textbox', { name: 'Write a reply' })
    if (!(await box.textContent()).includes('answer into the crash')) return false
    await box.focus()
    await send(agent.page)
    return false
  }, 60_000)

  await visitor.page.reload()
  await showChat(visitor.page)
  await bubble(visitor.page, 'question to a dead server').waitFor()
  const all = await thread(visitor.page)
  assert.deepEqual([...all].sort(), [
    'and another line', 'answer into the crash', 'answer while you were away', 'first',
    'question into the crash', 'question to a dead server', 'written in a tunnel',
  ])
  assert.ok(all.indexOf('written in a tunnel') < all.indexOf('and another line'), 'out of order')
  await agent.page.reload()
  await message(agent.page, 'question to a dead server').waitFor()
  for (const text of all) assert.equal(await times(agent.page, text), 1, text)
})

story('identity: a signed visitor finds the thread on another device, a typed address opens nothing', {}, async (stage) => {
  const { server, enter } = stage
  const { visitor, channel } = await opening(stage)
  // A look for news that is under way when the identity comes may still carry the token that ends with it.
  const LATE = /status of 401 .*\/messages\?after=/
  visitor.expect(LATE)
  const sign = (claims) => identity(channel.identity_secret, { aud: channel.public_key, ...claims })
  const identify = async (person, token) => {
    await openChat(person, server.url, channel.public_key)
    await person.page.evaluate((jwt) => globalThis.stewardChat.identify(jwt), token)
  }
  await visitor.page.evaluate((jwt) => globalThis.stewardChat.identify(jwt), sign({ sub: 'u-7', name: 'Chen Jie', email: 'chen@customer.example', email_verified: true }))
  await say(visitor.page, 'my order 2611')
  await bubble(visitor.page, 'my order 2611').waitFor()

  const phone = await enter({ size: { width: 390, height: 800 } })
  phone.expect(LATE)
  await identify(phone, sign({ sub: 'u-7', name: 'Chen Jie' }))
  await bubble(phone.page, 'my order 2611').waitFor()
  assert.deepEqual((await thread(phone.page)).filter((text) => text === 'my order 2611'), ['my order 2611'])

  // A forged signature and a typed address both see nothing of it.
  const thief = await enter()
  thief.expect(/status of 4\d\d/)
  await identify(thief, identity('not the secret, but just as long as it is', { aud: channel.public_key, sub: 'u-7' }))
  const typed = await enter()
  await openChat(typed, server.url, channel.public_key)
  await say(typed.page, 'I am Chen')
  await bubble(typed.page, 'I am Chen').waitFor()
  const session = await typed.page.evaluate(() => Object.entries(localStorage).find(([key]) => key.endsWith('token'))?.[1])
  const token = session.startsWith('"') ? JSON.parse(session) : session
  const claimed = await typed.context.request.post(`${server.url}/api/widget/${channel.public_key}/email`, {
    headers: { Authorization: `Visitor ${token}`, Origin: server.url },
    data: { email: 'chen@customer.example' },
  })
  assert.equal(claimed.status(), 204, await claimed.text())
  await typed.page.reload()
  await showChat(typed.page)
  await bubble(typed.page, 'I am Chen').waitFor()
  assert.deepEqual(await thread(typed.page), ['I am Chen'])
  assert.ok(!(await thief.page.locator('steward-chat').first().textContent()).includes('2611'))
})
