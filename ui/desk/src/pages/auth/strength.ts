// How hard a password is to guess, roughly: length counts most, then variety; repetition counts against it. The server
// alone decides what it accepts.
export const PASSWORD_MIN = 10

export type Strength = 'short' | 'weak' | 'fair' | 'good'

export function strength(password: string): Strength {
  const length = [...password].length
  if (length < PASSWORD_MIN) return 'short'
  const distinct = new Set(password.toLowerCase()).size
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z\d]/].filter((kind) => kind.test(password)).length
  const score = Math.min(length, 24) + kinds * 2 + Math.min(distinct, 14) - (/(.)\1{2,}|0123|1234|abcd|qwer/i.test(password) ? 8 : 0)
  return score < 24 ? 'weak' : score < 32 ? 'fair' : 'good'
}
