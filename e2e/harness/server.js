// The built server on a private port with a private data folder.
import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { freePort, start, temporaryFolder, until } from './process.js'

/** How long it may take until it serves, in milliseconds; `demo` fills a company first. */
const READY = 120_000
const TOP = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..')
export const BINARY = process.env.STEWARD_BINARY ?? path.join(TOP, 'target/debug/steward')

/**
 * Starts `steward` and waits until it says it is ready.
 * @param {{ command?: 'serve' | 'demo', environment?: Record<string, string>, expectErrors?: RegExp[] }} options
 *   `expectErrors`: lines logged at ERROR that the story causes on purpose
 */
export async function startServer(options = {}) {
  if (!existsSync(BINARY)) throw new Error(`${BINARY} is not built: cargo build -p steward`)
  const { folder, remove } = await temporaryFolder('data')
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const log = []
  let running

  const launch = async () => {
    const args = [options.command ?? 'serve', '--data', folder, '--listen', `127.0.0.1:${port}`]
    running = start(BINARY, args, { env: { ...process.env, ...options.environment } })
    const mine = running
    await until('the server is ready', async () => {
      if (!mine.running()) throw new Error(`it ended:\n${mine.lines.join('\n')}`)
      return (await fetch(`${url}/health/ready`)).ok
    }, READY)
  }
  const halt = async (signal) => {
    const result = await running.stop(signal)
    log.push(...running.lines)
    running.lines.length = 0
    return result
  }
  try {
    await launch()
  } catch (error) {
    // Nobody gets hold of it any more, so nobody else would end it.
    await halt('SIGKILL')
    await remove()
    throw error
  }

  return {
    url,
    port,
    folder,
    /** Everything logged so far, over restarts. */
    lines: () => [...log, ...running.lines],
    /** Lines at ERROR that no one expected. */
    errors: () =>
      [...log, ...running.lines].filter(
        (line) => isError(line) && !(options.expectErrors ?? []).some((known) => known.test(line)),
      ),
    /** Cuts it off without warning, as a power failure of the process would. */
    crash: () => halt('SIGKILL'),
    restart: async () => {
      await halt('SIGTERM')
      await launch()
    },
    launch,
    stop: async () => {
      await halt('SIGTERM')
      await remove()
    },
  }
}

/** A log line at level ERROR, or a panic, in the text or the JSON format. */
export function isError(line) {
  return /(^|\s)ERROR(\s|:)|"level":"ERROR"|panicked at/.test(line)
}
