import { padded, visible, widthOf } from './width.ts'

/** What a cell shows: numbers as digits, nothing for undefined. */
export type Cell = string | number | boolean | undefined

/** A column of a table. Titles are Apache's, with their #. */
export interface Column<R> {
  readonly title: string
  cell(row: R): Cell
  /** Numbers that are compared stand on the right. */
  readonly right?: true
}

/** A part of what a subcommand prints. */
export type Block = { readonly lines: readonly string[] }

const gap = '  '

/** Rows as lines, each column as wide as its widest cell; the last one has no blanks behind it. */
export function table<R>(columns: readonly Column<R>[], rows: readonly R[]): Block {
  const cells = rows.map(row => columns.map(({ cell }) => printed(cell(row))))
  const head = columns.map(({ title }) => title)
  const widths = head.map((title, i) => Math.max(widthOf(title), ...cells.map(line => widthOf(line[i]!))))
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, i) => padded(text, widths[i]!, columns[i]!.right === true))
      .join(gap)
      .trimEnd()
  return { lines: [head, ...cells].map(line) }
}

function printed(cell: Cell): string {
  if (cell === undefined || (typeof cell === 'number' && Number.isNaN(cell))) return '-'
  return visible(String(cell))
}

/** Names and values below each other. */
export function record(pairs: readonly (readonly [name: string, value: Cell])[]): Block {
  const width = Math.max(0, ...pairs.map(([name]) => widthOf(name)))
  return { lines: pairs.map(([name, value]) => `${padded(name, width, false)} ${printed(value)}`.trimEnd()) }
}

/** Settings, as Apache's tools show them. */
export function settings(values: Readonly<Record<string, string>>): Block {
  return {
    lines: Object.entries(values).map(([key, value]) => `${padded(key, 50, false)}=  ${visible(value)}`.trimEnd()),
  }
}

/** Sentences. */
export const lines = (...texts: readonly string[]): Block => ({ lines: texts.map(visible) })

/** Between two blocks. */
export const emptyLine: Block = { lines: [''] }
