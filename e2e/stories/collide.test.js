// Two agents have one case open and answer at the same time.
import assert from 'node:assert/strict'

import { createAgent, createCompany, createWebchat } from '../harness/api.js'
import { enterDesk, message, openCase, send, times, write } from '../harness/desk.js'
import { story } from '../harness/story.js'
import { bubble, openChat, say, thread } from '../harness/widget.js'

story('collide: the second of two agents is asked before a second answer leaves', {}, async ({ server, enter }) => {
  const owner = await createCompany(server.url)
  await owner.ask('PATCH', '/api/workspace', { undo_seconds: 0 })
  const channel = await createWebchat(owner)
  const li = await createAgent(owner, 'Li Na', 'li@shop.example')
  const max = await createAgent(owner, 'Max Weber', 'max@shop.example')
  const visitor = await enter()
  await openChat(visitor, server.url, channel.public_key)
  await say(visitor.page, 'Where is my parcel?')
  const [one, two] = [await enter(), await enter()]
  two.expect(/status of 409/)
  await enterDesk(one, server.url, li)
  await enterDesk(two, server.url, max)
  for (const agent of [one, two]) await openCase(agent.page, 'Where is my parcel?')

  await two.page.getByText('Li Na is viewing').waitFor()
  await write(two.page, 'r', 'It is at the post office.')
  await one.page.getByText(/Max Weber is writing/).first().waitFor()
  // Max's page is cut off from the news, as if he had not looked up before he sent.
  await two.page.routeWebSocket(/api\/live/, () => {})
  await two.page.route(/\/(timeline|cases\/[^/]+)(\?|$)/, (route) => (route.request().method() === 'GET' ? route.abort() : route.continue()))
  two.expect(/ERR_FAILED/)
  await write(one.page, 'r', 'It arrives today.')
  await send(one.page)
  await bubble(visitor.page, 'It arrives today.').waitFor()
  await send(two.page)
  const question = two.page.getByRole('alertdialog').or(two.page.getByRole('dialog')).filter({ hasText: /Li Na answered \d+ s ago/ })
  await question.waitFor()
  assert.deepEqual(await thread(visitor.page), ['Where is my parcel?', 'It arrives today.'])

  await two.page.unroute(/\/(timeline|cases\/[^/]+)(\?|$)/)
  await question.getByRole('button', { name: 'Send anyway' }).click()
  await bubble(visitor.page, 'It is at the post office.').waitFor()
  assert.deepEqual(await thread(visitor.page), ['Where is my parcel?', 'It arrives today.', 'It is at the post office.'])
  await message(one.page, 'It is at the post office.').waitFor()
  assert.equal(await times(one.page, 'It is at the post office.'), 1)
})
