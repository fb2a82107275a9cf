// Takes the picture of the README from the running demo company: `node e2e/picture.js`.
import { mkdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { launchBrowser, person } from './harness/browser.js'
import { enterDesk } from './harness/desk.js'
import { until } from './harness/process.js'
import { startServer } from './harness/server.js'

const FILE = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../docs/desk.png')

const server = await startServer({ command: 'demo' })
const browser = await launchBrowser()
try {
  const { email, password } = await signIn()
  const agent = await person(browser, { own: server.url, language: 'zh-CN', size: { width: 1440, height: 900 } })
  await enterDesk(agent, server.url, { email, password }, 'all_open')
  const { page } = agent
  await page.getByRole('option').nth(1).click()
  await page.getByRole('log').getByRole('article').first().waitFor()
  await page.evaluate(() => document.fonts.ready)
  await until('nothing loads any more', async () => (await page.locator('[aria-busy=true], .animate-pulse').count()) === 0)
  await page.waitForLoadState('networkidle')
  await mkdir(path.dirname(FILE), { recursive: true })
  await page.screenshot({ path: FILE })
  console.log(`${FILE}: ${(await stat(FILE)).size} bytes`)
} finally {
  await browser.close()
  await server.stop()
}

/** The program prints who may sign in; the first agent is who the picture shows. */
async function signIn() {
  return until('the sign-ins are printed', () => {
    const lines = server.lines()
    const password = lines.map((line) => line.match(/password (\S+)/)?.[1]).find(Boolean)
    const email = lines.map((line) => line.match(/^\s+(\S+@\S+)\s+agent\s/)?.[1]).find(Boolean)
    return password && email && { password, email }
  })
}
