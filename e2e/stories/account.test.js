// How people get in: by an invitation's mail, after a forgotten password, and when a second step is demanded of all.
import assert from 'node:assert/strict'

import { createAgent, createCompany, createMailbox, OWNER } from '../harness/api.js'
import { enterDesk } from '../harness/desk.js'
import { linkIn, plainText } from '../harness/mail_text.js'
import { startMailIn } from '../harness/mail_in.js'
import { startMailOut } from '../harness/mail_out.js'
import { signIn, story } from '../harness/story.js'
import { code } from '../harness/totp.js'

const HELP = 'help@shop.example'
/** Mail servers of a story are on this machine, which a server must be allowed to talk to. */
const HERE = { environment: { STEWARD_ALLOWED_NETWORKS: '127.0.0.0/8' } }
const desk = (url) => url.pathname.startsWith('/desk')
const signin = (url) => url.pathname === '/signin'
const presence = /presence, theme/

async function withMail({ server, later }) {
  const mailIn = later(await startMailIn([HELP]))
  const mailOut = later(await startMailOut())
  const owner = await createCompany(server.url)
  await createMailbox(owner, HELP, mailIn, mailOut)
  return { owner, mailOut }
}

const to = (address) => (mail) => mail.to.includes(address)

story('account: an invitation is accepted from its mail, once', HERE, async (stage) => {
  const { server, enter, accessible } = stage
  const { mailOut } = await withMail(stage)
  const owner = await enter()
  await enterDesk(owner, server.url, OWNER)
  await owner.page.goto('/admin/people')
  await owner.page.getByRole('button', { name: 'Invite somebody' }).click()
  const dialog = owner.page.getByRole('dialog')
  await dialog.getByLabel('E-mail').fill('zhao@shop.example')
  await dialog.getByLabel('Name').fill('Zhao Min')
  await dialog.getByRole('button', { name: 'Send the invitation' }).click()

  const link = linkIn(await mailOut.next(to('zhao@shop.example')), server.url)
  const { page } = await enter()
  await page.goto(link)
  await page.getByRole('heading', { name: 'Join Harbour Shop' }).waitFor()
  assert.equal(await page.getByLabel('Your name').inputValue(), 'Zhao Min')
  await accessible(page, 'invitation')
  await page.locator('input[type=password]').fill('nine calm herons by the lake 6')
  await page.getByRole('button', { name: 'Join' }).click()
  await page.waitForURL(desk)
  await page.getByRole('button', { name: presence }).click()
  await page.getByText('zhao@shop.example').waitFor()

  // The link is spent; the page says so and how to get another one.
  const late = await enter()
  late.expect(/status of 4\d\d/)
  await late.page.goto(link)
  await late.page.getByText('Ask the person who invited you').waitFor()
})

story('account: a forgotten password is set anew from the mail, and other devices are signed out', HERE, async (stage) => {
  const { server, enter, accessible } = stage
  const { owner, mailOut } = await withMail(stage)
  const li = await createAgent(owner, 'Li Na', 'li@shop.example')
  const old = await enter()
  old.expect(/status of 401/)
  await enterDesk(old, server.url, li)

  const agent = await enter()
  agent.expect(/status of (401|4[12]\d)/)
  const { page } = agent
  await page.goto('/signin')
  await page.getByRole('link', { name: 'Forgot the password?' }).click()
  await page.getByLabel('E-mail').fill(li.email)
  await page.getByRole('button', { name: 'Send the link' }).click()
  await page.getByText('a link is on its way').waitFor()
  const reset = (mail) => to(li.email)(mail) && plainText(mail.raw).includes(`${server.url}/reset/`)
  const link = linkIn(await mailOut.next(reset), server.url)

  const fresh = 'seven slow boats on the river 8'
  await page.goto(link)
  await page.locator('input[type=password]').fill('short')
  await page.getByRole('button', { name: 'Set the password' }).click()
  await page.getByRole('alert').first().waitFor()
  await accessible(page, 'reset')
  await page.locator('input[type=password]').fill(fresh)
  await page.getByRole('button', { name: 'Set the password' }).click()
  await page.waitForURL(signin)

  // The device that was signed in is out, without anybody touching it there.
  await old.page.goto('/desk')
  await old.page.waitForURL(signin)
  await signIn(page, li)
  await page.getByRole('alert').first().waitFor()
  await signIn(page, { email: li.email, password: fresh })
  await page.waitForURL(desk)

  // A link counts once.
  const again = await enter()
  again.expect(/status of 4\d\d/)
  await again.page.goto(link)
  await again.page.locator('input[type=password]').fill('another long new password 9')
  await again.page.getByRole('button', { name: 'Set the password' }).click()
  await again.page.getByRole('alert').first().waitFor()
  assert.ok(signin(new URL(again.page.url())) === false, 'the spent link is refused')
})

story('account: the owner demands a second step, and an agent sets it up at the next sign-in', {}, async (stage) => {
  const { server, enter, accessible } = stage
  const company = await createCompany(server.url)
  const li = await createAgent(company, 'Li Na', 'li@shop.example')
  const owner = await enter()
  owner.expect(/status of 40[13]|response code: 403/)
  await enterDesk(owner, server.url, OWNER)
  await owner.page.goto('/admin/workspace')
  await owner.page.getByRole('switch', { name: 'Require two-step verification' }).click()
  await owner.page.getByRole('button', { name: 'Save' }).click()
  // It says what that means for the one who does it, before it is done.
  await owner.page.getByRole('dialog').or(owner.page.getByRole('alertdialog')).getByText('So do you, right after saving.').waitFor()
  await owner.page.getByRole('button', { name: 'Require it' }).click()
  await owner.page.waitForURL('**/enroll')

  const agent = await enter()
  agent.expect(/status of 40[13]|response code: 403/)
  const { page } = agent
  await signIn(page, li)
  await page.waitForURL('**/enroll')
  await accessible(page, 'demanded enrolment')
  // There is no way round: the desk leads back.
  await page.goto('/desk')
  await page.waitForURL('**/enroll')
  const refused = await page.evaluate(() => fetch('/api/cases').then((answer) => answer.status))
  assert.equal(refused, 403)

  const secret = await enroll(page, li.password)
  await page.waitForURL(desk)
  await page.getByRole('button', { name: presence }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.waitForURL(signin)
  await signIn(page, li)
  // The code that enrolled is spent; the next 30 seconds' is accepted ahead of time.
  await page.getByLabel('Six-digit code').fill(code(secret, Date.now() + 30_000))
  await page.waitForURL(desk)
})

/** Goes through the set-up with an authenticator; the key is returned. */
async function enroll(page, password) {
  await page.locator('input[type=password]').fill(password)
  await page.getByRole('button', { name: 'Continue' }).click()
  const secret = (await page.getByText(/^([A-Z2-7]{4} ?)+$/).first().textContent()).replaceAll(/\s/g, '')
  await page.getByLabel('Six-digit code').fill(code(secret))
  await page.getByRole('button', { name: 'Turn on' }).click()
  await page.getByLabel('I have kept the recovery codes').click()
  await page.getByRole('button', { name: 'Done' }).click()
  return secret
}
