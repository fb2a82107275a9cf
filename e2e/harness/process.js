// Child processes of a story: started on a free port, ended for certain, their output kept.
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

/** A TCP port on the loopback that nobody listens on now. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = net.createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })
}

/** A new empty folder, and how to remove it. */
export async function temporaryFolder(name) {
  const folder = await mkdtemp(path.join(os.tmpdir(), `steward-${name}-`))
  return { folder, remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }) }
}

/**
 * Asks again until `probe` gives something truthy.
 * @param {string} what  for the error: "the server is ready"
 * @param {() => Promise<T> | T} probe  an exception counts as "not yet"
 * @param {number} limit  milliseconds
 * @template T
 */
export async function until(what, probe, limit = 15_000) {
  const end = Date.now() + limit
  let last
  for (;;) {
    try {
      const value = await probe()
      if (value) return value
    } catch (error) {
      last = error
    }
    if (Date.now() > end) throw new Error(`not within ${limit} ms: ${what}${last ? ` (${last.message})` : ''}`)
    await pause(50)
  }
}

/** Starts a program; its output is kept line by line in `lines`. */
export function start(program, args, options = {}) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
  const lines = []
  const ended = new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: null, signal: null, error }))
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
  for (const stream of [child.stdout, child.stderr]) {
    let rest = ''
    stream.setEncoding('utf8')
    stream.on('data', (text) => {
      const parts = (rest + text).split('\n')
      rest = parts.pop() ?? ''
      lines.push(...parts)
    })
    stream.on('end', () => rest && lines.push(rest))
  }
  const running = () => child.exitCode === null && child.signalCode === null
  /** Ends it: asked politely first, killed after `grace` milliseconds. */
  const stop = async (signal = 'SIGTERM', grace = 10_000) => {
    if (running()) child.kill(signal)
    const killer = globalThis.setTimeout(() => running() && child.kill('SIGKILL'), grace)
    const result = await ended
    clearTimeout(killer)
    return result
  }
  return { pid: child.pid, lines, ended, running, stop }
}
