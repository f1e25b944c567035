import type { ClientFigures } from './programs.ts'

export interface ClientRow {
  readonly client: string
  readonly broker: string
  /** One for each round. */
  readonly rounds: readonly ClientFigures[]
}

const middle = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
const number = (value: number, digits = 0): string =>
  value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })

/** A table: a line for each client and broker, medians over the rounds. */
export function clientTable(rows: readonly ClientRow[]): string {
  const head = [
    ...['broker', 'client', 'send, one at a time: p50 / p99 µs', 'send, many in flight: messages/s'],
    ...['its CPU µs/message', 'first message after start(), ms', 'consume: messages/s', 'its CPU µs/message'],
  ]
  const lines = rows.map(({ broker, client, rounds }) => {
    const of = (name: keyof ClientFigures) => middle(rounds.map(round => round[name]))
    return [
      ...[broker, client, `${number(of('sendP50Us'))} / ${number(of('sendP99Us'))}`, number(of('sendPerSecond'))],
      ...[
        number(of('sendCpuUs'), 1),
        number(of('firstMs')),
        number(of('consumePerSecond')),
        number(of('consumeCpuUs'), 1),
      ],
    ]
  })
  return [head, head.map(() => '---'), ...lines].map(cells => `| ${cells.join(' | ')} |`).join('\n')
}
