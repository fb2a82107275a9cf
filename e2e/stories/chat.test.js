// A visitor writes by web chat; an agent answers in the browser.
import assert from 'node:assert/strict'

import { createAgent, createCompany, createWebchat } from '../harness/api.js'
import { enterDesk, message, openCase, row, send, times, write } from '../harness/desk.js'
import { png } from '../harness/png.js'
import { story } from '../harness/story.js'
import { bubble, entry, log, openChat, say, thread } from '../harness/widget.js'

story('web chat: a visitor writes, sends a picture, and is answered by keyboard', {}, async ({ server, enter }) => {
  const owner = await createCompany(server.url)
  await owner.ask('PATCH', '/api/workspace', { undo_seconds: 0 })
  const channel = await createWebchat(owner)
  const li = await createAgent(owner, 'Li Na', 'li@shop.example')
  const visitor = await enter()
  await openChat(visitor, server.url, channel.public_key)
  await say(visitor.page, 'The kettle arrived with a dent')
  // Nobody has the desk open yet, so the visitor stands in the queue.
  await visitor.page.getByText(/You are next/).waitFor()

  // Whoever opens the desk is given the case by itself.
  const agent = await enter()
  await enterDesk(agent, server.url, li)
  await visitor.page.getByText(/You are next/).waitFor({ state: 'detached' })
  await row(agent.page, 'The kettle arrived with a dent').waitFor()
  await openCase(agent.page, 'The kettle arrived with a dent')

  await visitor.page.locator('steward-chat input[type=file]').setInputFiles({ name: 'dent.png', mimeType: 'image/png', buffer: png(120, 80, [180, 40, 40]) })
  await visitor.page.locator('steward-chat .picks .file-size, steward-chat .pick-state').filter({ hasText: /\d+ (B|KB)/ }).waitFor()
  await say(visitor.page, 'This is how it looks')
  const picture = message(agent.page, 'This is how it looks').getByRole('img', { name: 'dent.png' })
  await picture.waitFor()
  assert.deepEqual(await picture.evaluate((image) => image.decode().then(() => [image.naturalWidth, image.naturalHeight])), [120, 80])

  // Each sees the other writing.
  await entry(visitor.page).pressSequentially('And')
  await agent.page.getByText(/is writing/).first().waitFor()
  await write(agent.page, 'n', 'Third dent this week, tell the warehouse')
  await send(agent.page)
  await message(agent.page, 'Third dent this week').waitFor()
  await write(agent.page, 'r', 'I am sorry. A new one leaves today.')
  await visitor.page.getByText('Li Na is typing').waitFor()
  await send(agent.page)
  await bubble(visitor.page, 'A new one leaves today').waitFor()
  await log(visitor.page).getByText('Li Na').first().waitFor()

  assert.deepEqual(await thread(visitor.page), ['The kettle arrived with a dent', 'This is how it looks', 'I am sorry. A new one leaves today.'])
  assert.equal(await times(agent.page, 'A new one leaves today'), 1)
  assert.ok(!(await log(visitor.page).textContent()).includes('warehouse'), 'a note reached the visitor')
})
