// Vitest's reporter prints failures by Map.groupBy, which Node 20 lacks. Imported by the vitest configurations only.
declare global {
  interface MapConstructor {
    groupBy: <K, V>(items: Iterable<V>, keyOf: (item: V, index: number) => K) => Map<K, V[]>
  }
}

Map.groupBy ??= (items, keyOf) => {
  const groups = new Map()
  let index = 0
  for (const item of items) {
    const key = keyOf(item, index++)
    groups.set(key, [...(groups.get(key) ?? []), item])
  }
  return groups
}

export {}
