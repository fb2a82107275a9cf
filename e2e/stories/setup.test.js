// An empty folder leads to the set-up page; the check page says what works.
import assert from 'node:assert/strict'

import { OWNER } from '../harness/api.js'
import { story } from '../harness/story.js'

story('setup: an empty folder becomes a company, and the check page tells how it stands', {}, async ({ server, enter, accessible }) => {
  const { page, expect } = await enter()
  // Nobody is signed in yet: the desk asks, and is told so.
  expect(/status of 401/)
  await page.goto(server.url)
  await page.waitForURL('**/setup')
  await page.getByLabel('Company').fill('Harbour Shop')
  await page.getByLabel('Your name').fill(OWNER.name)
  await page.getByLabel('E-mail').fill(OWNER.email)
  await page.locator('input[type=password]').fill(OWNER.password)
  await accessible(page, 'set-up')
  await page.getByRole('button', { name: 'Create the account' }).click()
  await page.waitForURL(/\/(desk|admin)/)

  await page.goto(`${server.url}/admin/check`)
  for (const line of ['Clock', 'Live', 'Storage']) await page.getByText(new RegExp(line, 'i')).first().waitFor()
  await accessible(page, 'check')

  // It happens once: the page is closed afterwards.
  const { needed } = await page.evaluate(() => fetch('/api/setup').then((answer) => answer.json()))
  assert.equal(needed, false)
  const stranger = await enter()
  stranger.expect(/status of 401/)
  await stranger.page.goto(`${server.url}/setup`)
  await stranger.page.waitForURL(/signin/)
})
