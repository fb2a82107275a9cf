// Password and second step, by the pages.
import { createCompany, OWNER } from '../harness/api.js'
import { story } from '../harness/story.js'
import { code } from '../harness/totp.js'

const desk = (url) => url.pathname.startsWith('/desk')
const signin = (url) => url.pathname === '/signin'

story('sign-in: a wrong password is refused, a second step is set up and asked for', {}, async ({ server, enter, accessible }) => {
  await createCompany(server.url)
  const { page, expect } = await enter()
  expect(/status of (401|422|403)/)
  const password = async (text) => {
    await page.getByLabel('E-mail').fill(OWNER.email)
    await page.locator('input[type=password]').fill(text)
    await page.keyboard.press('Enter')
  }
  await page.goto(server.url)
  await page.waitForURL(signin)
  await accessible(page, 'sign-in')
  await password('not the password')
  await page.getByRole('alert').first().waitFor()
  await password(OWNER.password)
  await page.waitForURL(desk)

  await page.goto(`${server.url}/enroll`)
  await page.locator('input[type=password]').fill(OWNER.password)
  await page.getByRole('button', { name: 'Continue' }).click()
  const secret = (await page.getByText(/^([A-Z2-7]{4} ?)+$/).first().textContent()).replaceAll(/\s/g, '')
  await accessible(page, 'enrolment')
  const first = code(secret)
  await page.getByLabel('Six-digit code').fill(first)
  await page.getByRole('button', { name: 'Turn on' }).click()
  await page.getByLabel('I have kept the recovery codes').click()
  const recovery = (await page.getByText(/^[\w-]+\n[\w-]+/).first().textContent()).trim().split(/\s+/)[0]
  await page.getByRole('button', { name: 'Done' }).click()
  await page.waitForURL(desk)

  const signOut = async () => {
    await page.getByRole('button', { name: /presence, theme/ }).click()
    await page.getByRole('menuitem', { name: 'Sign out' }).click()
    await page.waitForURL(signin)
  }
  await signOut()
  await password(OWNER.password)
  // A code counts once: the one that enrolled is spent, the next 30 seconds' is accepted ahead of time.
  await page.getByLabel('Six-digit code').fill(first)
  await page.getByRole('alert').first().waitFor()
  await accessible(page, 'second step')
  await page.getByLabel('Six-digit code').fill(code(secret, Date.now() + 30_000))
  await page.waitForURL(desk)

  await signOut()
  await password(OWNER.password)
  await page.getByRole('button', { name: 'Use a recovery code' }).click()
  await page.getByLabel('Recovery code').fill(recovery)
  await page.keyboard.press('Enter')
  await page.waitForURL(desk)
})
