const HAN = /\p{Script=Han}/u

/** Up to two letters; of a Chinese name the given name's last two characters, as colleagues say it. */
export function initials(name: string): string {
  const text = name.trim()
  if (!text) return '?'
  const han = [...text].filter((char) => HAN.test(char))
  if (han.length > 0) return han.length <= 2 ? (han.at(-1) ?? '?') : han.slice(-2).join('')
  const words = text.split(/[\s@._-]+/).filter(Boolean)
  const first = [...(words[0] ?? '?')][0] ?? '?'
  const last = words.length > 1 ? ([...(words.at(-1) ?? '')][0] ?? '') : ''
  return (first + last).toUpperCase()
}

/** The same name always gets the same colour (FNV-1a over its code units). */
export function avatarHue(name: string, count: number): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < name.length; index += 1) hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193)
  return (hash >>> 0) % count
}
