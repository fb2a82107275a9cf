export interface Column {
  key: string
  label: string
  /** A CSS grid track: "2fr", "96px", "minmax(120px,1fr)". */
  width?: string
  align?: 'start' | 'end'
  hideLabel?: boolean
  /** Left out where there is no room for it (below 900 px). */
  wideOnly?: boolean
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a column of any table; the slot is typed
  value?: (row: any) => string | number | null | undefined
}

export function gridTemplate(columns: readonly Column[]): string {
  return columns.map((column) => column.width ?? 'minmax(0,1fr)').join(' ')
}
