// Ranks texts against what somebody types into the palette or a picker. Works on code points, so Chinese needs no
// segmentation: a run of characters in order is enough.

const BOUNDARY = /[\s\-_/.,:;()@#·，、（）]/

function scoreWord(word: string, text: string): number {
  const exact = text.indexOf(word)
  if (exact >= 0) {
    const starts = exact === 0 || BOUNDARY.test(text[exact - 1] ?? '')
    return 100 + (starts ? 40 : 0) + (exact === 0 ? 20 : 0) - Math.min(exact, 20) + (word.length === text.length ? 40 : 0)
  }
  let score = 0
  let from = 0
  let previous = -2
  for (const char of word) {
    const at = text.indexOf(char, from)
    if (at < 0) return 0
    const starts = at === 0 || BOUNDARY.test(text[at - 1] ?? '')
    score += at === previous + 1 ? 8 : starts ? 6 : 1
    previous = at
    from = at + char.length
  }
  // Scattered letters are noise: a third of them must continue a run or start a word.
  return score >= word.length * 3 ? Math.min(score, 90) : 0
}

/** 0 = no match; the higher the better. Every word of the query must match somewhere. */
export function fuzzyScore(query: string, text: string): number {
  const haystack = text.toLowerCase()
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  let total = 1
  for (const word of words) {
    const score = scoreWord(word, haystack)
    if (score === 0) return 0
    total += score
  }
  return total
}

/** The matching items, best first; equal scores keep their order. An empty query keeps everything. */
export function fuzzyFilter<T>(query: string, items: readonly T[], text: (item: T) => string): T[] {
  if (!query.trim()) return [...items]
  return items
    .map((item, index) => ({ item, index, score: fuzzyScore(query, text(item)) }))
    .filter((entry) => entry.score > 0)
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .map((entry) => entry.item)
}
