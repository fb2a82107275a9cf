/** `./desk.en.json` -> area "desk". */
export function mergeAreas(files: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(files).map(([path, content]) => [path.split('/').pop()?.split('.')[0] ?? path, content]))
}
