// Trusted Types: the content policy forbids turning strings into markup. Vue and the editor's paste handler have policies
// of their own; the editor also parses its own documents, which runs nothing. Everything else is refused, whoever asks.

interface PolicyFactory {
  createPolicy: (name: string, rules: { createHTML: (html: string, type: string, sink: string) => string | null }) => unknown
}

const INERT_SINKS = ['DOMParser parseFromString']

export function allowInertParsing(factory: PolicyFactory | undefined = (globalThis as { trustedTypes?: PolicyFactory }).trustedTypes): void {
  factory?.createPolicy('default', { createHTML: (html, _type, sink) => (INERT_SINKS.includes(sink) ? html : null) })
}
