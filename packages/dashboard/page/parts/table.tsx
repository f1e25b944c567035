import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { t } from '../text/text.ts'
import { Empty } from './basic.tsx'

export interface Column<R> {
  readonly key: string
  readonly title: string
  readonly cell: (row: R) => ComponentChildren
  /** A track of CSS grid. */
  readonly width?: string
  readonly right?: boolean
  /** What it is sorted by; without it there is no sorting. */
  readonly by?: (row: R) => string | number | null | undefined
}

const rowHeight = 36
/** Rows above and below what is seen. */
const spare = 8

type Order = { readonly key: string; readonly down: boolean } | undefined

/** As many rows as there are: only those that are seen are in the document. */
export function Table<R>({
  columns,
  rows,
  keyOf,
  order: begin,
  empty,
  onSeen,
  label,
  maxHeight = '70vh',
}: {
  columns: readonly Column<R>[]
  rows: readonly R[]
  keyOf: (row: R) => string
  order?: Order
  empty?: string
  /** Is told of the rows that are seen. */
  onSeen?: (rows: readonly R[]) => void
  label: string
  maxHeight?: string
}) {
  const [order, setOrder] = useState<Order>(begin)
  const [top, setTop] = useState(0)
  const [height, setHeight] = useState(720)
  const ref = useRef<HTMLDivElement>(null)
  const by = columns.find(({ key }) => key === order?.key)?.by
  const sorted = useMemo(() => (by === undefined ? rows : sort(rows, by, order!.down)), [rows, order?.key, order?.down])
  useLayoutEffect(() => {
    const box = ref.current
    if (box === null) return
    const seen = new ResizeObserver(() => setHeight(box.clientHeight))
    seen.observe(box)
    return () => seen.disconnect()
  }, [])
  const first = Math.max(0, Math.floor(top / rowHeight) - spare)
  const last = Math.min(sorted.length, Math.ceil((top + height) / rowHeight) + spare)
  const shown = sorted.slice(first, last)
  const names = shown.map(keyOf).join('\n')
  useEffect(() => onSeen?.(shown), [names])
  const widths = columns.map(({ width = 'minmax(7rem, 1fr)' }) => width)
  // All rows are as wide as the least that the columns need, or the box: so that they stand below each other.
  const least = widths.reduce((sum, width) => sum + Number(/[\d.]+/.exec(width)?.[0] ?? 0), 0)
  const minWidth = `calc(${least}rem + ${columns.length + 1} * 14px)`
  const grid = { gridTemplateColumns: widths.join(' '), minWidth }
  return (
    <div
      class="table"
      role="table"
      aria-label={label}
      aria-rowcount={sorted.length}
      ref={ref}
      tabIndex={0}
      style={{ maxHeight }}
      onScroll={event => setTop(event.currentTarget.scrollTop)}
    >
      <div class="head row" role="row" style={grid}>
        {columns.map(column => (
          <div
            key={column.key}
            role="columnheader"
            class={column.right ? 'right' : ''}
            aria-sort={order?.key !== column.key ? 'none' : order.down ? 'descending' : 'ascending'}
          >
            {column.by === undefined ? (
              column.title
            ) : (
              <button
                type="button"
                onClick={() => setOrder({ key: column.key, down: order?.key === column.key && !order.down })}
              >
                {column.title}
                <span aria-hidden="true">{order?.key !== column.key ? '' : order.down ? ' ↓' : ' ↑'}</span>
              </button>
            )}
          </div>
        ))}
      </div>
      {sorted.length === 0 ? (
        <div role="row">
          <div role="cell">
            <Empty>{empty ?? t('nothing')}</Empty>
          </div>
        </div>
      ) : null}
      <div class="space" role="rowgroup" style={{ height: `${sorted.length * rowHeight}px`, minWidth }}>
        {shown.map((row, i) => (
          <div
            class="row"
            role="row"
            key={keyOf(row)}
            aria-rowindex={first + i + 1}
            style={{ ...grid, top: `${(first + i) * rowHeight}px` }}
          >
            {columns.map(column => (
              <div role="cell" key={column.key} class={column.right ? 'right' : ''}>
                {column.cell(row)}
              </div>
            ))}
          </div>
        ))}
      </div>
    </div>
  )
}

function sort<R>(rows: readonly R[], by: NonNullable<Column<R>['by']>, down: boolean): R[] {
  const sign = down ? -1 : 1
  return [...rows].sort((a, b) => {
    const [x, y] = [by(a), by(b)]
    // What is not known comes last, whatever the order.
    if (x === null || x === undefined) return y === null || y === undefined ? 0 : 1
    if (y === null || y === undefined) return -1
    return (x < y ? -1 : x > y ? 1 : 0) * sign
  })
}

/** A field that filters a list; its text stands in the address. */
export const Filter = ({
  value,
  onChange,
  label,
}: {
  value: string
  onChange: (text: string) => void
  label: string
}) => (
  <input
    type="search"
    class="filter"
    value={value}
    placeholder={label}
    aria-label={label}
    onInput={event => onChange(event.currentTarget.value)}
  />
)

/** Every word of the text stands somewhere in the name. */
export function matches(name: string, text: string): boolean {
  const lower = name.toLowerCase()
  return text
    .toLowerCase()
    .split(/\s+/)
    .every(part => lower.includes(part))
}
