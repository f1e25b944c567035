import { type Cell, cpuOf, median, type Row, ratioText } from './compare.ts'

/** Share of its core above which the generator, and not the broker, may be what limits the rate. */
const busyCores = 0.8

function cellText(cell: Cell): string {
  const rate = median(cell.results.map(result => result.messagesPerSecond))
  const busy = median(cell.results.map(result => result.generatorCores)) >= busyCores
  const ms = (name: 'p50Us' | 'p99Us' | 'p999Us') =>
    (median(cell.results.map(result => result[name])) / 1000).toFixed(2)
  const memory = (name: 'brokerRssAnonMiB' | 'brokerRssMiB') =>
    Math.max(...cell.results.map(result => result[name] ?? Number.NaN))
  return [
    median(cpuOf(cell)).toFixed(2),
    busy ? '(generator busy)' : rate.toLocaleString('en-US'),
    `${ms('p50Us')} / ${ms('p99Us')} / ${ms('p999Us')}`,
    `${memory('brokerRssAnonMiB')} / ${memory('brokerRssMiB')}`,
  ].join(' | ')
}

/** One table: a row for each situation, the cells of each contender, the ratios of the first to each other one. */
export function tableOf(rows: readonly Row[]): string {
  const names = rows[0]?.cells.map(cell => cell.who) ?? []
  const columns = names.flatMap(name => [
    `${name}: CPU µs/message`,
    'messages/s',
    'p50 / p99 / p99.9 ms',
    'RssAnon / RSS MiB',
  ])
  const head = ['situation', ...columns, ...names.slice(1).map(name => `CPU ratio to ${name} (spread)`), 'must', 'aim']
  const part = (share: number) => (share === 0 ? '' : `1/${(1 / share).toFixed(1)}`)
  const lines = rows.map(({ situation, cells }) => {
    const [ours, ...others] = cells
    const ratios = others.map(other => ratioText(ours!, other))
    return [situation.name, ...cells.map(cellText), ...ratios, part(situation.must), part(situation.aim)]
  })
  return [head, head.map(() => '---'), ...lines].map(cells => `| ${cells.join(' | ')} |`).join('\n')
}
