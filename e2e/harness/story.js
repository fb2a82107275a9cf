// One story: a server, a browser, the people in it, and the checks that hold for all of them.
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { violations } from './axe.js'
import { launchBrowser, person, picture } from './browser.js'
import { startServer } from './server.js'

/**
 * Runs a story as a test. At its end there must be no unexpected ERROR in the server's log and no
 * script error, blocked content or foreign request in anybody's browser.
 * @param {string} name
 * @param {Parameters<typeof startServer>[0]} options
 * @param {(stage: Stage) => Promise<void>} tell
 * @typedef {Awaited<ReturnType<typeof prepare>>} Stage
 */
export function story(name, options, tell) {
  test(name, { timeout: 180_000 }, async () => {
    const stage = await prepare(options)
    try {
      await tell(stage)
      for (const one of stage.people) assert.deepEqual(one.troubles(), [], 'in the browser')
      assert.deepEqual(stage.server.errors(), [], 'in the log')
    } catch (error) {
      await stage.evidence(name)
      throw error
    } finally {
      await stage.end()
    }
  })
}

async function prepare(options) {
  const server = await startServer(options)
  const browser = await launchBrowser()
  const people = []
  const closing = []
  return {
    server,
    browser,
    people,
    /** Another person at another device. */
    enter: async (settings = {}) => {
      const one = await person(browser, { own: server.url, ...settings })
      people.push(one)
      return one
    },
    /** Something to stop when the story is over. */
    later: (thing) => {
      closing.push(thing)
      return thing
    },
    /** Fails when the page has accessibility faults. */
    accessible: async (page, what, scope) => {
      assert.deepEqual(await violations(page, scope), [], `axe: ${what}`)
    },
    /** What a person needs to see why it failed. */
    evidence: async (name) => {
      const label = name.replaceAll(/\W+/g, '-').toLowerCase()
      for (const [index, one] of people.entries()) {
        const file = await picture(one.page, `failed-${label}-${index + 1}`).catch(() => 'no picture')
        console.error(`person ${index + 1} at ${one.page.url()}: ${file}`)
        for (const trouble of one.troubles()) console.error(`  ${trouble}`)
      }
      console.error(server.lines().slice(-80).join('\n'))
    },
    end: async () => {
      await browser.close()
      for (const thing of closing.reverse()) await thing.stop()
      await server.stop()
    },
  }
}

/** Signs a person in on the desk with the keyboard-reachable form. */
export async function signIn(page, { email, password }) {
  await page.goto('/')
  await page.locator('input[type=email]').fill(email)
  await page.locator('input[type=password]').fill(password)
  await page.locator('input[type=password]').press('Enter')
}
