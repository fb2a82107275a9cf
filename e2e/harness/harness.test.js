// The harness must itself be right: a story that can't fail proves nothing.
import assert from 'node:assert/strict'
import http from 'node:http'
import net from 'node:net'
import { once } from 'node:events'
import { test } from 'node:test'

import { violations } from './axe.js'
import { launchBrowser, person } from './browser.js'
import { startMailIn } from './mail_in.js'
import { headers, startMailOut } from './mail_out.js'
import { mailText } from './mail_text.js'
import { until } from './process.js'
import { isError } from './server.js'
import { code } from './totp.js'

test('one-time passwords are those of RFC 6238, appendix B', () => {
  const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
  const vectors = [[59, '94287082'], [1111111109, '07081804'], [1234567890, '89005924'], [20000000000, '65353130']]
  for (const [second, expected] of vectors) assert.equal(code(secret, second * 1000, 8), expected)
})

test('errors are found in both log formats', () => {
  assert.ok(isError('2026-01-01T00:00:00Z ERROR web: it broke'))
  assert.ok(isError('{"level":"ERROR","message":"x"}'))
  assert.ok(isError("thread 'main' panicked at x"))
  assert.ok(!isError('2026-01-01T00:00:00Z  INFO web: no error, ERRORS none'))
})

test('mail put into dovecot is there, unread', async () => {
  const inbox = await startMailIn(['help@shop.example'])
  try {
    await inbox.deliver('help@shop.example', mailText({ from: 'li@customer.example', to: 'help@shop.example', subject: '退款', text: '你好' }))
    assert.deepEqual(await inbox.seen('help@shop.example'), [false])
  } finally {
    await inbox.stop()
  }
})

test('mail sent to the sink is kept with dots and folded fields undone', async () => {
  const sink = await startMailOut()
  try {
    const socket = net.connect(sink.port, '127.0.0.1')
    socket.write('EHLO x\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@y.example>\r\nDATA\r\n')
    socket.write('Subject: one\r\n two\r\n\r\n..dot\r\n.\r\nQUIT\r\n')
    socket.resume()
    await once(socket, 'close')
    const mail = await sink.next((found) => found.to.includes('b@y.example'))
    assert.equal(mail.from, 'a@x.example')
    assert.equal(mail.headers.get('subject'), 'one two')
    assert.ok(mail.raw.endsWith('\r\n\r\n.dot\r\n'))
    assert.equal(headers(mail.raw).size, 1)
  } finally {
    await sink.stop()
  }
})

test('the browser reports script errors, blocked content and foreign requests, and axe finds faults', async () => {
  const page = http.createServer((_request, response) => {
    response.setHeader('Content-Security-Policy', "default-src 'self' 'unsafe-inline'; img-src 'none'; connect-src *")
    response.setHeader('Content-Type', 'text/html')
    response.end(`<!doctype html><html lang="en"><title>t</title><body><main><h1>x</h1><input id="nameless"></main>
      <img src="/x.png" alt=""><script>console.error("told"); fetch("http://127.0.0.1:9/").catch(() => {}); setTimeout(() => { throw new Error("thrown") })</script></body></html>`)
  })
  page.listen(0, '127.0.0.1')
  await once(page, 'listening')
  const own = `http://127.0.0.1:${page.address().port}`
  const browser = await launchBrowser()
  try {
    const visitor = await person(browser, { own })
    await visitor.page.goto(own)
    for (const sign of [/console: told/, /CSP: img-src/, /foreign request/, /script: .*thrown/]) {
      await until(String(sign), () => visitor.troubles().some((trouble) => sign.test(trouble)))
    }
    const faults = await violations(visitor.page)
    assert.ok(faults.some((fault) => fault.startsWith('label: #nameless')), faults.join('\n'))
    visitor.expect(/.*/s)
    assert.deepEqual(visitor.troubles(), [])
  } finally {
    await browser.close()
    page.close()
  }
})
