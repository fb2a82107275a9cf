// What a hostile customer writes, and how a story learns that some of it ran.
export const FOREIGN = 'http://attacker.example'

/** Each piece runs, or calls the attacker, where text is taken for HTML. `where` tells which field it came from. */
export function payload(where) {
  const ran = `fired('${where}')`
  return [
    `"'><img src="${FOREIGN}/${where}.png" onerror="${ran}">`,
    `<script>${ran}</script>`,
    `<svg onload="${ran}"></svg>`,
    `<iframe srcdoc="<script>parent.${ran}</script>"></iframe>`,
    `<a href="javascript:${ran}">link</a>`,
    `<details open ontoggle="${ran}"><summary>s</summary></details>`,
    `<style>@import '${FOREIGN}/${where}.css';</style>`,
    `<math><mtext><table><mglyph><style><img src=x onerror="${ran}"></style></mglyph></table></mtext></math>`,
  ].join('')
}

/** Lets every page and frame of this person report into `ran` what ran. */
export function watched(person, ran) {
  return person.context.exposeBinding('fired', (_source, where) => ran.push(where))
}
