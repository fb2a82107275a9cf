import type { Component } from 'vue'

/** One choice of a select, menu or picker. */
export interface Option {
  value: string
  label: string
  hint?: string
  /** Extra words the search finds but nobody sees (pinyin, e-mail address). */
  keywords?: string
  icon?: Component
  /** Any CSS colour, shown as a dot. */
  color?: string
  disabled?: boolean
  group?: string
}

export interface TreeOption extends Option {
  children?: TreeOption[]
}

export interface MenuItem {
  id: string
  label: string
  icon?: Component
  keys?: string
  danger?: boolean
  disabled?: boolean
  /** Why it is disabled, as the server said it. */
  reason?: string
  checked?: boolean
  /** A rule above this item. */
  rule?: boolean
  run: () => void
}

/** "Orders / Refund / Not arrived" for every leaf and branch of a tree, in reading order. */
export function flattenTree(tree: readonly TreeOption[], depth = 0, path: string[] = []): (TreeOption & { depth: number; path: string })[] {
  return tree.flatMap((node) => {
    const here = [...path, node.label]
    return [{ ...node, depth, path: here.join(' / ') }, ...flattenTree(node.children ?? [], depth + 1, here)]
  })
}
