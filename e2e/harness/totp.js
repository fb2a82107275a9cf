// Time-based one-time passwords (RFC 6238: HMAC-SHA-1, 30 s, 6 digits), as a phone app computes them.
import { createHmac } from 'node:crypto'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** Base 32 (RFC 4648) without padding to bytes. */
export function fromBase32(text) {
  let bits = ''
  for (const letter of text.toUpperCase().replaceAll(/[\s=]/g, '')) {
    const value = ALPHABET.indexOf(letter)
    if (value < 0) throw new Error(`not base 32: ${letter}`)
    bits += value.toString(2).padStart(5, '0')
  }
  const bytes = bits.match(/.{8}/g) ?? []
  return Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2)))
}

/**
 * The code for a moment.
 * @param {string} secret  base 32
 * @param {number} at  milliseconds since 1970
 */
export function code(secret, at = Date.now(), digits = 6) {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)))
  const mac = createHmac('sha1', fromBase32(secret)).update(counter).digest()
  const offset = mac[mac.length - 1] & 15
  const number = mac.readUInt32BE(offset) & 0x7fffffff
  return String(number % 10 ** digits).padStart(digits, '0')
}
