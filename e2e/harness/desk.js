// What an agent does on the desk, by the names they read and the keys they press.
import assert from 'node:assert/strict'

import { until } from './process.js'

/** Signs a person in without the form, for stories that are about something else. */
export async function enterDesk(person, url, { email, password }, view = 'all') {
  const answer = await person.context.request.post(`${url}/api/session`, {
    headers: { 'X-Steward-Client': 'story', Origin: url },
    data: { email, password },
  })
  assert.equal(answer.status(), 200, await answer.text())
  await person.page.goto(`${url}/desk/${view}`)
  await person.page.getByRole('listbox').or(person.page.getByRole('region', { name: /^(Cases|工单列表)$/ })).first().waitFor()
}

/** The row of the case list that shows this text. */
export function row(page, text) {
  return page.getByRole('option').filter({ hasText: text }).first()
}

/** Opens a case from the list and waits for its history. */
export async function openCase(page, text) {
  await openRow(page, row(page, text))
}

/** `#12` of a row. */
export const numberOf = (option) => option.getByText(/^#\d+$/).textContent()

/** Opens a case by its row, and waits until it is this one that is shown. */
export async function openRow(page, option) {
  const number = await numberOf(option)
  await option.click()
  await page.locator('header').getByText(number, { exact: true }).waitFor()
  await page.getByRole('log').getByRole('article').first().waitFor()
}

/** The messages of the open case that contain this text. */
export function message(page, text) {
  return page.getByRole('log').getByRole('article').filter({ hasText: text })
}

/** Writes by keyboard: `r` or `n` opens the composer. It does not send. */
export async function write(page, key, text) {
  await page.getByRole('log').focus()
  await page.keyboard.press(key)
  const box = page.getByRole('textbox', { name: key === 'n' ? /^(Write a note|写备注)$/ : /^(Write a reply|写回复)$/ })
  await until('the composer has the focus', () => box.evaluate((element) => element.contains(element.ownerDocument.activeElement)))
  await page.keyboard.type(text)
}

export const send = (page) => page.keyboard.press('Control+Enter')

/** How often this text stands in the history, once the history is quiet about it. */
export const times = (page, text) => message(page, text).count()
