// A real mailbox: Debian's dovecot with a private configuration, and a way to put mails into it.
import { execFileSync } from 'node:child_process'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'

import { freePort, start, temporaryFolder, until } from './process.js'

const PASSWORD = 'mailbox-secret'

/**
 * Starts dovecot on a private port.
 * @param {string[]} mailboxes  addresses; all have the same password
 */
export async function startMailIn(mailboxes) {
  const { folder, remove } = await temporaryFolder('mail')
  const port = await freePort()
  const asRoot = process.getuid() === 0
  // Dovecot wants its helpers and the mail to belong to somebody who is not root.
  const owner = asRoot ? 'dovecot' : os.userInfo().username
  await mkdir(path.join(folder, 'mail'))
  await writeFile(path.join(folder, 'users'), mailboxes.map((address) => `${address}:{PLAIN}${PASSWORD}::::::\n`).join(''))
  await writeFile(path.join(folder, 'dovecot.conf'), configuration({ folder, port, owner }))
  await chmod(folder, 0o755)
  if (asRoot) execFileSync('chown', ['-R', owner, path.join(folder, 'mail'), path.join(folder, 'users')])

  const dovecot = start('/usr/sbin/dovecot', ['-F', '-c', path.join(folder, 'dovecot.conf')])
  await until('dovecot answers', async () => {
    if (!dovecot.running()) throw new Error(dovecot.lines.join('\n'))
    const imap = await connect(port)
    imap.close()
    return true
  })
  return {
    port,
    password: PASSWORD,
    lines: dovecot.lines,
    /** Puts a mail into an address's INBOX, as a delivering server would. `raw` has CRLF line ends. */
    deliver: async (address, raw) => {
      const imap = await connect(port)
      await imap.ask(`LOGIN "${address}" "${PASSWORD}"`)
      await imap.append('INBOX', raw)
      await imap.ask('LOGOUT')
      imap.close()
    },
    /** Whether each mail of the INBOX has been seen, oldest first. */
    seen: async (address) => {
      const imap = await connect(port)
      await imap.ask(`LOGIN "${address}" "${PASSWORD}"`)
      await imap.ask('EXAMINE INBOX')
      const lines = await imap.ask('FETCH 1:* (FLAGS)').catch(() => [])
      imap.close()
      return lines.filter((line) => line.includes('FETCH')).map((line) => line.includes('\\Seen'))
    },
    stop: async () => {
      await dovecot.stop()
      await remove()
    },
  }
}

function configuration({ folder, port, owner }) {
  return `
protocols = imap
listen = 127.0.0.1
base_dir = ${folder}/run
state_dir = ${folder}/run
log_path = /dev/stderr
ssl = no
disable_plaintext_auth = no
default_internal_user = ${owner}
default_internal_group = ${execFileSync('id', ['-gn', owner]).toString().trim()}
default_login_user = ${owner}
first_valid_uid = 1
mail_uid = ${owner}
mail_gid = ${execFileSync('id', ['-gn', owner]).toString().trim()}
mail_home = ${folder}/mail/%u
mail_location = maildir:~/Maildir
mailbox_list_index = no
namespace inbox {
  inbox = yes
  separator = /
}
passdb {
  driver = passwd-file
  args = scheme=PLAIN username_format=%u ${folder}/users
}
userdb {
  driver = static
  args = uid=${owner} gid=${execFileSync('id', ['-gn', owner]).toString().trim()} home=${folder}/mail/%u
}
service imap-login {
  chroot =
  inet_listener imap {
    address = 127.0.0.1
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
`
}

/** A few lines of IMAP4rev1 (RFC 3501): enough to append a mail and look at flags. */
async function connect(port) {
  const socket = net.connect(port, '127.0.0.1')
  socket.setEncoding('utf8')
  let buffer = ''
  let wake = () => {}
  let failure = null
  socket.on('data', (text) => {
    buffer += text
    wake()
  })
  socket.on('error', (error) => {
    failure = error
    wake()
  })
  socket.on('close', () => {
    failure ??= new Error('the mail server hung up')
    wake()
  })
  const line = async () => {
    for (;;) {
      const end = buffer.indexOf('\r\n')
      if (end >= 0) {
        const text = buffer.slice(0, end)
        buffer = buffer.slice(end + 2)
        return text
      }
      if (failure) throw failure
      await new Promise((resolve) => {
        wake = resolve
      })
    }
  }
  let tag = 0
  const finish = async (mine) => {
    const lines = []
    for (;;) {
      const text = await line()
      if (!text.startsWith(`${mine} `)) lines.push(text)
      else if (text.startsWith(`${mine} OK`)) return lines
      else throw new Error(`IMAP: ${text}`)
    }
  }
  const greeting = await line()
  if (!greeting.startsWith('* OK')) throw new Error(`IMAP: ${greeting}`)
  return {
    ask: (command) => {
      const mine = `a${++tag}`
      socket.write(`${mine} ${command}\r\n`)
      return finish(mine)
    },
    append: async (mailbox, raw) => {
      const mine = `a${++tag}`
      const bytes = Buffer.from(raw)
      socket.write(`${mine} APPEND ${mailbox} {${bytes.length}}\r\n`)
      const reply = await line()
      if (!reply.startsWith('+')) throw new Error(`IMAP: ${reply}`)
      socket.write(bytes)
      socket.write('\r\n')
      return finish(mine)
    },
    close: () => socket.destroy(),
  }
}
