import { encodeHost, type StoredMessage } from '@skua-mq/protocol'
import { messageJson } from './messages.ts'

/** A message as `skua store export` writes it: what `cat --json` prints, and the ports of both hosts. */
export interface ExportedMessage {
  readonly topic: string
  readonly queueId: number
  readonly sysFlag: number
  readonly flag: number
  readonly bornTimestamp: number
  readonly bornHost: string
  readonly bornPort: number
  readonly reconsumeTimes: number
  readonly preparedTransactionOffset: number
  readonly properties: Readonly<Record<string, string>>
  readonly bodyHex: string
}

/** A line that is no exported message, or a message that a store does not take. */
export class ExportError extends Error {}

/** One line of JSON. */
export function exportedLine(message: StoredMessage): string {
  const { bornHost, storeHost } = message
  const hosts = { bornPort: bornHost.port, storeHost: storeHost.address, storePort: storeHost.port }
  return JSON.stringify({ ...messageJson(message), ...hosts })
}

const isWhole = (value: unknown): boolean => Number.isSafeInteger(value)
const checks: Readonly<Record<keyof ExportedMessage, (value: unknown) => boolean>> = {
  topic: value => typeof value === 'string' && value !== '',
  queueId: value => isWhole(value) && (value as number) >= 0,
  sysFlag: isWhole,
  flag: isWhole,
  bornTimestamp: isWhole,
  bornHost: value => typeof value === 'string' && encodeHost(value, 0) !== undefined,
  bornPort: isWhole,
  reconsumeTimes: isWhole,
  preparedTransactionOffset: isWhole,
  properties: value =>
    typeof value === 'object' && value !== null && Object.values(value).every(text => typeof text === 'string'),
  bodyHex: value => typeof value === 'string' && /^([0-9a-f]{2})*$/i.test(value),
}

/** Lines of `cat --json` are taken too, which say no port. Throws ExportError with the number of the line. */
export function readExported(line: string, number: number): ExportedMessage {
  let parsed: unknown
  try {
    parsed = JSON.parse(line)
  } catch (error) {
    throw new ExportError(`line ${number}: ${(error as Error).message}`)
  }
  const fields = { bornPort: 0, ...(parsed as Record<string, unknown>) }
  for (const [name, fits] of Object.entries(checks)) {
    const value = (fields as Record<string, unknown>)[name]
    if (!fits(value)) throw new ExportError(`line ${number}: ${name} is ${JSON.stringify(value) ?? 'missing'}`)
  }
  return fields as unknown as ExportedMessage
}
