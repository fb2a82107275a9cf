/**
 * The work a browser does before a form is taken, so that sending ten thousand of them costs something:
 * a nonce such that SHA-256(salt + ":" + nonce) begins with `difficulty_bits` zero bits.
 */
import { sha256 } from "./sha256";

export interface Challenge {
  salt: string;
  difficulty_bits: number;
  /** RFC 3339, or seconds since the epoch: handed back as it came */
  expires: string | number;
  signature: string;
}

export interface Proof {
  salt: string;
  nonce: string;
  expires: string | number;
  signature: string;
}

type Digest = (input: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>;

/** Hashes asked for before the page gets to breathe again, and the hardest challenge we accept (about a minute). */
const BATCH = 256;
const HARDEST = 24;

export function digestOf(subtle: SubtleCrypto | undefined): Digest {
  if (!subtle) return (input) => Promise.resolve(sha256(input));
  return async (input) => new Uint8Array(await subtle.digest("SHA-256", input));
}

export function leadingZeroBits(hash: Uint8Array): number {
  let bits = 0;
  for (const byte of hash) {
    if (byte === 0) bits += 8;
    else return bits + Math.clz32(byte) - 24;
  }
  return bits;
}

export async function solve(challenge: Challenge, digest: Digest, breathe: () => Promise<void>): Promise<Proof> {
  const { salt, difficulty_bits: bits, expires, signature } = challenge;
  if (!(bits >= 0 && bits <= HARDEST)) throw new Error("challenge out of range");
  const encoder = new TextEncoder();
  for (let from = 0; ; from += BATCH) {
    const hashes = await Promise.all(
      Array.from({ length: BATCH }, (_, step) => digest(encoder.encode(`${salt}:${from + step}`))),
    );
    const hit = hashes.findIndex((hash) => leadingZeroBits(hash) >= bits);
    if (hit >= 0) return { salt, nonce: String(from + hit), expires, signature };
    await breathe();
  }
}
