// What a visitor does in the chat widget. Playwright looks through the open shadow root by itself.
import { createHmac } from 'node:crypto'

/** Opens the built-in test page and the chat in it. */
export async function openChat(person, url, key) {
  await person.page.goto(`${url}/widget/test/${key}`)
  await showChat(person.page)
}

/** Opens the panel unless it is open from before. */
export async function showChat(page) {
  const panel = page.getByRole('dialog')
  const launcher = page.getByRole('button', { name: /^(Open chat|打开在线客服)/ })
  await panel.or(launcher).first().waitFor()
  if (!(await panel.isVisible())) await launcher.click()
  await page.locator('steward-chat .skeleton').waitFor({ state: 'detached' })
}

export const entry = (page) => page.locator('steward-chat textarea')
export const log = (page) => page.locator('steward-chat .log')

export async function say(page, text) {
  await entry(page).fill(text)
  await entry(page).press('Enter')
}

/** The visitor's own or received bubbles with this text; those on their way count too. */
export const bubble = (page, text) => log(page).locator('.bubble').filter({ hasText: text })

/** The texts of all bubbles but the greeting, in order. */
export const thread = async (page) => (await log(page).locator('.bubble').allTextContents()).slice(1)

/** What a site signs for its signed-in visitor (JWT, HS256). */
export function identity(secret, claims) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const body = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ exp: Math.floor(Date.now() / 1000) + 600, ...claims })}`
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`
}
