// Accessibility: WCAG 2.2 A and AA as axe-core can see it.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const SOURCE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

/**
 * The violations on the page as it stands, one line per element.
 * Evaluated by the debugger, not as a script element, so the page's CSP stays as it is.
 * @param {import('playwright-core').Page} page
 * @param {{ within?: string, without?: string[] }} scope  CSS selectors
 */
export async function violations(page, scope = {}) {
  await page.evaluate(SOURCE)
  const found = await page.evaluate(
    async ([tags, within, without]) => {
      const context = { include: [within ?? 'html'], exclude: without ?? [] }
      const result = await globalThis.axe.run(context, { runOnly: { type: 'tag', values: tags } })
      return result.violations.flatMap((rule) =>
        rule.nodes.map((node) => `${rule.id}: ${node.target.join(' ')} ${node.failureSummary ?? ''}`),
      )
    },
    [TAGS, scope.within, scope.without],
  )
  return found.map((line) => line.replaceAll(/\s+/g, ' '))
}
