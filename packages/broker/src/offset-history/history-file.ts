import type { SlicedCodec } from '@skua-mq/protocol'
import type { OffsetMove } from '../offset/offset-table.ts'

/** Characters of a slice, about: a millisecond of work. */
const sliceChars = 64 * 1024

/** A move as a line of JSON. */
export const lineOf = (move: OffsetMove): string => `${JSON.stringify(move)}\n`

/** A line for each move. Where one does not read, `readableMoves` are what is left. */
export const historyFile: SlicedCodec<Iterable<OffsetMove>> = {
  encode: moves => Buffer.from([...moves].map(lineOf).join('')),
  decode(bytes) {
    const lines = linesOf(bytes)
    const moves = lines.flatMap(moveOf)
    if (moves.length < lines.length) throw new SyntaxError(`${lines.length - moves.length} lines do not read`)
    return moves
  },
  *slices(moves) {
    let text = ''
    for (const move of moves) {
      text += lineOf(move)
      if (text.length < sliceChars) continue
      yield Buffer.from(text)
      text = ''
    }
    yield Buffer.from(text)
  },
}

/** Of a file that is damaged. */
export const readableMoves = (bytes: Uint8Array): OffsetMove[] => linesOf(bytes).flatMap(moveOf)

const linesOf = (bytes: Uint8Array): string[] =>
  Buffer.from(bytes)
    .toString('utf8')
    .split('\n')
    .filter(line => line !== '')

function moveOf(line: string): OffsetMove[] {
  let json: unknown
  try {
    json = JSON.parse(line)
  } catch {
    return []
  }
  if (typeof json !== 'object' || json === null) return []
  const { atMs, group, topic, queueId, from, to, who, request } = json as Record<string, unknown>
  if (!isWhole(atMs) || !isWhole(queueId) || !isText(group) || !isText(topic) || !isText(who)) return []
  const [fromOffset, toOffset] = [isWhole(from) ? from : undefined, isWhole(to) ? to : undefined]
  return [
    {
      atMs,
      group,
      topic,
      queueId,
      from: fromOffset,
      to: toOffset,
      who,
      request: isText(request) ? request : undefined,
    },
  ]
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value)
const isText = (value: unknown): value is string => typeof value === 'string'
