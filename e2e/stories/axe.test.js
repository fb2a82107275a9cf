// Every screen in both languages, light and dark, against WCAG 2.2 A and AA.
import assert from 'node:assert/strict'

import { createAgent, createCompany, createWebchat, OWNER } from '../harness/api.js'
import { violations } from '../harness/axe.js'
import { enterDesk, row } from '../harness/desk.js'
import { until } from '../harness/process.js'
import { story } from '../harness/story.js'
import { bubble, entry, openChat, say } from '../harness/widget.js'

/** Colours don't depend on the language, so two looks cover both languages and both themes of every screen. */
const LOOKS = [
  { language: 'en', dark: false },
  { language: 'zh-CN', dark: true },
]

async function company(url) {
  const owner = await createCompany(url)
  await owner.ask('PATCH', '/api/workspace', { undo_seconds: 0 })
  const channel = await createWebchat(owner)
  const form = await owner.ask('POST', '/api/channels', { kind: 'webform', name: 'Contact form', settings: {} })
  await owner.ask('POST', '/api/channels', { kind: 'phone', name: 'Hotline', settings: {} })
  const team = await owner.ask('POST', '/api/teams', { name: 'Returns', description: 'Parcels that come back' })
  await owner.ask('POST', '/api/skills', { name: 'Customs' })
  await owner.ask('POST', '/api/canned', { shortcut: 'hello', title: 'Greeting', language: 'en', team_id: team.id, body: 'Hello {{customer.name}}' })
  await owner.ask('POST', '/api/reasons', { parent_id: null, name_zh: '物流', name_en: 'Delivery', required_skills: [], active: true, position: 1 })
  await createAgent(owner, 'Li Na', 'li@shop.example')
  return { owner, channel, form }
}

/** Nothing loads any more. */
async function settled(page) {
  await page.locator('main:visible, form:visible, h1:visible').first().waitFor()
  await until('loading ends', async () => (await page.locator('[aria-busy=true], .animate-pulse, .animate-spin').count()) === 0)
}

/** The pages of the administration, as its own navigation lists them. */
async function adminPages(page) {
  await page.goto('/admin')
  await page.locator('a[href^="/admin/"]').first().waitFor()
  const links = await page.locator('a[href^="/admin/"]').evaluateAll((all) => all.map((link) => link.getAttribute('href')))
  return [...new Set(links)]
}

for (const look of LOOKS) {
  const name = `${look.language} ${look.dark ? 'dark' : 'light'}`
  story(`accessibility: every screen, ${name}`, {}, async ({ server, enter }) => {
    const { owner, channel, form } = await company(server.url)
    const faults = []
    const check = async (page, what) => {
      await settled(page)
      for (const fault of await violations(page)) faults.push(`${what}: ${fault}`)
    }

    const visitor = await enter(look)
    visitor.expect(/status of 4\d\d/)
    await openChat(visitor, server.url, channel.public_key)
    await say(visitor.page, 'Where is my parcel?')
    await bubble(visitor.page, 'my parcel').waitFor()
    await entry(visitor.page).fill('and')
    await check(visitor.page, 'chat')
    await visitor.page.goto(`${server.url}/form/${form.public_key}`)
    await check(visitor.page, 'form')
    for (const path of ['/signin', '/forgot', '/reset/x', '/invitation/x']) {
      await visitor.page.goto(server.url + path)
      await check(visitor.page, path)
    }

    await owner.ask('PATCH', '/api/me', { locale: look.language, preferences: { theme: look.dark ? 'dark' : 'light' } })
    const agent = await enter(look)
    const { page } = agent
    await enterDesk(agent, server.url, OWNER)
    await check(page, 'desk')
    await row(page, 'my parcel').click()
    await page.getByRole('log').getByRole('article').first().waitFor()
    await check(page, 'case')
    await page.keyboard.press('n')
    await page.locator('[role=textbox][aria-multiline=true]').waitFor()
    await check(page, 'note')
    await page.keyboard.press('Escape')
    await page.keyboard.press('?')
    await page.getByRole('dialog').waitFor()
    await check(page, 'keys')
    await page.keyboard.press('Escape')
    await page.keyboard.press('Control+k')
    await page.getByRole('dialog').waitFor()
    await check(page, 'palette')
    for (const path of ['/customers', '/account', '/nothing-here', ...(await adminPages(page)), `/admin/channels/${channel.id}`]) {
      await page.goto(path)
      await check(page, path)
    }
    assert.deepEqual([...new Set(faults)], [])
  })
}
