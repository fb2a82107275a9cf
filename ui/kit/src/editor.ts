/** What stands behind a `#` in the editor, and where a canned reply would go. */
export interface Suggestion {
  query: string
  from: number
  to: number
  /** Viewport position of the caret. */
  x: number
  y: number
}

export interface EditorHandle {
  focus: () => void
  insert: (content: string, range?: { from: number; to: number }) => void
  clear: () => void
}

/** The word after the last `#` when the caret stands in it; null otherwise. */
export function hashQuery(before: string): string | null {
  return /(?:^|\s)#([^\s#]{0,30})$/u.exec(before)?.[1] ?? null
}

/** Nothing but paragraphs and line breaks: such text needs no formatted form beside it. */
export function isPlainHtml(html: string): boolean {
  return !/<(?!\/?(?:p|br)\s*\/?>)/i.test(html)
}

/** Plain text as paragraphs of HTML, nothing of it taken as markup. */
export function textToHtml(text: string): string {
  const escaped = text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
  return escaped.split(/\n{2,}/).map((part) => `<p>${part.replace(/\n/g, '<br>')}</p>`).join('')
}
