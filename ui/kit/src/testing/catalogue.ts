// Checks that two catalogues say the same things: used by the tests of every area.

type Tree = { [key: string]: string | Tree }

export function flatten(tree: Tree, prefix = ''): Map<string, string> {
  const flat = new Map<string, string>()
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') flat.set(prefix + key, value)
    else flatten(value, `${prefix}${key}.`).forEach((text, name) => flat.set(name, text))
  }
  return flat
}

const parameters = (text: string) => [...new Set(text.match(/\{[^}]+\}/g) ?? [])].sort().join()
/** Texts that are the same word in both languages: names, formats, signs. */
const universal = (text: string) => !/[a-z]{3}/.test(text.replace(/\{[^}]+\}/g, '')) || /^[A-Z][A-Za-z-]*$/.test(text) && ['Steward', 'IMAP', 'Webhook'].includes(text)

export function catalogueFaults(en: Tree, zh: Tree, sameAllowed: readonly string[] = []): string[] {
  const english = flatten(en)
  const chinese = flatten(zh)
  const faults: string[] = []
  for (const [key, text] of english) {
    const other = chinese.get(key)
    if (other === undefined) faults.push(`missing in zh-CN: ${key}`)
    else if (other === text && !universal(text) && !sameAllowed.includes(key)) faults.push(`not translated: ${key}`)
    else if (parameters(text) !== parameters(other)) faults.push(`parameters differ: ${key}`)
  }
  for (const key of chinese.keys()) if (!english.has(key)) faults.push(`missing in en: ${key}`)
  return faults
}
