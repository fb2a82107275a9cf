// A real browser, and what must never happen in it: script errors, blocked or foreign requests.
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { chromium } from 'playwright-core'

/** How long anything on a page may take before the story fails, in milliseconds. */
const PATIENCE = 15_000
const OUT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../out')

// Debian's chromium; the flags keep it from calling anyone but the page under test.
const FLAGS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export function launchBrowser() {
  return chromium.launch({
    executablePath: process.env.STEWARD_CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    chromiumSandbox: false,
    args: FLAGS,
  })
}

/**
 * One person at one device: an own cookie jar, and a record of everything that went wrong.
 * @param {import('playwright-core').Browser} browser
 * @param {{ language?: 'zh-CN' | 'en', dark?: boolean, size?: { width: number, height: number }, own?: string }} options
 *   `own`: the origin whose requests are expected
 */
export async function person(browser, options = {}) {
  const context = await browser.newContext({
    locale: options.language ?? 'en',
    timezoneId: 'Asia/Shanghai',
    colorScheme: options.dark ? 'dark' : 'light',
    viewport: options.size ?? { width: 1280, height: 800 },
    reducedMotion: 'reduce',
    ...(options.own ? { baseURL: options.own } : {}),
  })
  context.setDefaultTimeout(PATIENCE)
  const troubles = []
  await context.exposeBinding('reportViolation', (_source, text) => troubles.push(`CSP: ${text}`))
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      globalThis.reportViolation(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile ?? ''}`)
    })
  })
  context.on('console', (message) => {
    if (message.type() === 'error') troubles.push(`console: ${message.text()} (${message.location().url})`)
  })
  context.on('weberror', (error) => troubles.push(`script: ${error.error().stack ?? error.error().message}`))
  context.on('request', (request) => {
    const { protocol, origin } = new URL(request.url())
    const foreign = protocol.startsWith('http') && options.own && origin !== options.own
    if (foreign) troubles.push(`foreign request: ${request.url()}`)
  })

  const forgive = []
  return {
    context,
    page: await context.newPage(),
    /** Troubles of this shape are what the story is about (a refused sign-in, a cut network). */
    expect: (pattern) => forgive.push(pattern),
    troubles: () => troubles.filter((trouble) => !forgive.some((pattern) => pattern.test(trouble))),
    close: () => context.close(),
  }
}

/** Saves a picture of the page under e2e/out and returns its path. */
export async function picture(page, name) {
  await mkdir(OUT, { recursive: true })
  const file = path.join(OUT, `${name}.png`)
  await page.screenshot({ path: file })
  return file
}
