// Text from outside, cut into plain pieces and links. No markup ever comes out of here: the page draws the pieces.

export interface Piece {
  text: string
  href?: string
}

const LINK = /https?:\/\/[^\s<>"'，。；！？、）】》]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g

export function pieces(text: string): Piece[] {
  const found: Piece[] = []
  let at = 0
  for (const match of text.matchAll(LINK)) {
    // A sentence's end is not part of the address.
    const link = match[0].replace(/[.,;:!?)\]]+$/, '')
    if (match.index > at) found.push({ text: text.slice(at, match.index) })
    found.push({ text: link, href: link.includes('://') ? link : `mailto:${link}` })
    at = match.index + link.length
  }
  if (at < text.length) found.push({ text: text.slice(at) })
  return found
}

/** A rough height in px of a mail of this text, for a frame that can't tell its own: 14 px type on about 78 columns. */
export function estimatedHeight(text: string, images: number): number {
  const columns = (line: string) => [...line].reduce((sum, char) => sum + (char.charCodeAt(0) > 0x2e80 ? 2 : 1), 0)
  const lines = text.split('\n').reduce((sum, line) => sum + Math.max(1, Math.ceil(columns(line) / 78)), 0)
  return Math.min(20_000, lines * 21 + images * 220 + 40)
}
