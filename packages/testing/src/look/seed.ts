import type { AdminSession } from '@skua-mq/admin'
import { PropertyName, printProperties, sendMessageV2, templateTopic } from '@skua-mq/protocol'
import type { Disk } from '@skua-mq/runtime'
import { type Duration, milliseconds } from '@skua-mq/runtime'
import { anything, checkShape, count, type Shape, text, textOrNumber, texts, textsByName } from '../shape.ts'

/** A message that is put into a topic by the test; one of `text`, `json`, `base64` and `bodyHex` is its body. */
export interface SeedMessage {
  readonly topic: string
  readonly text?: string | undefined
  readonly json?: unknown
  readonly base64?: string | undefined
  /** As `skua store export` writes it. */
  readonly bodyHex?: string | undefined
  /** Of an exported message: whether its body is compressed stands there. */
  readonly sysFlag?: number | undefined
  readonly tag?: string | undefined
  readonly keys?: string | readonly string[] | undefined
  readonly properties?: Readonly<Record<string, string>> | undefined
  /** Default: by turns. */
  readonly queueId?: number | undefined
  /** Delivered so much later. */
  readonly delay?: Duration | undefined
}

const shape: Shape<Omit<SeedMessage, 'sysFlag'>> = {
  topic: text,
  text,
  json: anything,
  base64: text,
  bodyHex: text,
  tag: text,
  keys: texts,
  properties: textsByName,
  queueId: count,
  delay: textOrNumber,
}

/** Properties that the broker sets anew. */
const own: ReadonlySet<string> = new Set(['CLUSTER', 'MIN_OFFSET', 'MAX_OFFSET'])

/** Messages of JSON lines. Throws SyntaxError, which names file and line. */
export function readSeed(lines: string, source: string): SeedMessage[] {
  return lines.split(/\r?\n/).flatMap((line, at) => {
    if (line.trim() === '') return []
    const place = `${source}, line ${at + 1}`
    let parsed: unknown
    try {
      parsed = JSON.parse(line)
    } catch (error) {
      throw new SyntaxError(`${place}: ${(error as Error).message}`)
    }
    return [checked(parsed, place)]
  })
}

export function seedOf(given: string | readonly SeedMessage[], disk: Pick<Disk, 'readFile'>): SeedMessage[] {
  if (typeof given === 'string') return readSeed(disk.readFile(given).toString('utf8'), given)
  if (!Array.isArray(given)) throw new TypeError('messages are a list, or the name of a file of JSON lines')
  return given.map((message, at) => checked(message, `seed, message ${at + 1}`))
}

function checked(value: unknown, place: string): SeedMessage {
  const message = (value ?? {}) as SeedMessage
  try {
    // Lines of `skua store export` say more, about where the message was before.
    const own = message.bodyHex === undefined ? value : knownOf(message)
    checkShape(own, shape, { what: 'a message' })
  } catch (error) {
    throw new SyntaxError(`${place}: ${(error as Error).message}`)
  }
  if (message.topic === undefined || message.topic === '') throw new SyntaxError(`${place}: topic is missing`)
  const bodies = [message.text, message.json, message.base64, message.bodyHex].filter(body => body !== undefined)
  if (bodies.length !== 1) throw new SyntaxError(`${place}: one of text, json, base64 and bodyHex is wanted`)
  return message
}

const knownOf = (message: object): object =>
  Object.fromEntries(Object.entries(message).filter(([name, value]) => Object.hasOwn(shape, name) && value !== null))

function bodyOf({ text, json, base64, bodyHex }: SeedMessage): Buffer {
  if (text !== undefined) return Buffer.from(text)
  if (json !== undefined) return Buffer.from(JSON.stringify(json))
  return base64 === undefined ? Buffer.from(bodyHex ?? '', 'hex') : Buffer.from(base64, 'base64')
}

function propertiesOf({ tag, keys, properties = {}, delay }: SeedMessage, id: string): Map<string, string> {
  const all = new Map(Object.entries(properties).filter(([name]) => !own.has(name)))
  if (!all.has(PropertyName.uniqueKey)) all.set(PropertyName.uniqueKey, id)
  if (tag !== undefined) all.set(PropertyName.tags, tag)
  if (keys !== undefined) all.set(PropertyName.keys, typeof keys === 'string' ? keys : keys.join(' '))
  if (delay !== undefined) all.set('TIMER_DELAY_MS', String(milliseconds(delay)))
  return all
}

/** Compressed, and by which method; the others say what a message was in its former store. */
const compressionBits = 0x701

/** Who sends what the test puts into topics. */
export const seedGroup = 'SKUA_TESTING'

export interface Sown {
  readonly msgId: string
  readonly queueId: number
  readonly queueOffset: number
}

/** Stores messages, one behind the other. Throws AdminError where one is refused. */
export async function sow(
  session: AdminSession,
  { address, messages, newId }: { address: string; messages: readonly SeedMessage[]; newId: () => string },
): Promise<Sown[]> {
  const sown: Sown[] = []
  for (const message of messages) {
    const msgId = newId()
    const header = {
      ...{ producerGroup: seedGroup, topic: message.topic, defaultTopic: templateTopic, defaultTopicQueueNums: 4 },
      // -1: the broker chooses.
      ...{
        queueId: message.queueId ?? -1,
        sysFlag: (message.sysFlag ?? 0) & compressionBits,
        bornTimestamp: session.runtime.clock.now(),
        flag: 0,
      },
      ...{
        properties: printProperties(propertiesOf(message, msgId)),
        reconsumeTimes: 0,
        unitMode: false,
        batch: false,
      },
    }
    const { header: stored } = await session.ask(address, { spec: sendMessageV2, header, bytes: bodyOf(message) })
    const { queueId, queueOffset } = stored
    sown.push({ msgId, queueId, queueOffset })
  }
  return sown
}
