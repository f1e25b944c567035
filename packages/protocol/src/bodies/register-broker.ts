import { promisify } from 'node:util'
import { deflateSync, inflate, inflateSync } from 'node:zlib'
import { JsonMembers } from '../json/members.ts'
import { parseJavaJson } from '../json/parse.ts'
import { printJavaJson } from '../json/print.ts'
import type { Codec } from '../request.ts'
import { type DataVersion, dataVersionShape } from './data-version.ts'
import { bean, list, string, type ValueOfShape } from './shape.ts'
import { slicesOf } from './slices.ts'
import { type TopicConfig, topicConfigShape, topicConfigTableShape } from './topic-config.ts'

const shape = bean({ filterServerList: list(string), topicConfigSerializeWrapper: topicConfigTableShape })
export type RegisterBrokerBody = ValueOfShape<typeof shape>

/** A body that inflates to more is refused. */
const maxInflatedBytes = 16 * 1024 * 1024
const zlibFirstByte = 0x78
const inflateAsync = promisify<Uint8Array, { maxOutputLength: number }, Buffer>(inflate)

/**
 * Body of 103 (remoting.md 16). Written as JSON. Reads JSON, the topic table alone (brokers before 3.0.11), and the
 * compressed form, told apart by the first byte: 5.x says compressed=false also when it compresses.
 */
export const registerBrokerBody: Codec<RegisterBrokerBody> = {
  encode: value => Buffer.from(printJavaJson(shape.write(value))),
  decode: bytes => {
    if (bytes[0] === zlibFirstByte) return readCompressed(bytes)
    const json = parseJavaJson(bytes)
    const old = typeof json === 'object' && json !== null && 'topicConfigTable' in json
    return shape.read(old ? { topicConfigSerializeWrapper: json } : json)
  },
}

/** A body of 103 whose topics are read as they are written, a slice at a time. */
export interface RegisterBody {
  readonly filterServerList: string[]
  readonly dataVersion: DataVersion
  readonly topics: Iterable<TopicConfig>
}

/** The same bytes as `registerBrokerBody` writes. */
export function registerBodySlices({ filterServerList, dataVersion, topics }: RegisterBody): Generator<Buffer> {
  const topicConfigTable = { [Symbol.iterator]: () => named(topics) } as Map<string, TopicConfig>
  return slicesOf(shape, { filterServerList, topicConfigSerializeWrapper: { dataVersion, topicConfigTable } }, {})
}

function* named(topics: Iterable<TopicConfig>): Generator<[string, TopicConfig]> {
  for (const topic of topics) yield [topic.topicName, topic]
}

/** The compressed form: topicSysFlag and order are lost in it, as in Java. */
export function compressRegisterBody({ filterServerList, topicConfigSerializeWrapper }: RegisterBrokerBody): Buffer {
  const { dataVersion, topicConfigTable } = topicConfigSerializeWrapper
  const parts = [counted(printJavaJson(dataVersionShape.write(dataVersion))), int(topicConfigTable.size)]
  for (const config of topicConfigTable.values()) parts.push(counted(topicLine(config)))
  parts.push(counted(printJavaJson(filterServerList)))
  return deflateSync(Buffer.concat(parts))
}

function topicLine(config: TopicConfig): string {
  const { topicName, readQueueNums, writeQueueNums, perm, topicFilterType, attributes } = config
  const line = `${topicName} ${readQueueNums} ${writeQueueNums} ${perm} ${topicFilterType}`
  return attributes === undefined ? line : `${line} ${printJavaJson(attributes)}`
}

function int(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeInt32BE(value)
  return bytes
}

function counted(text: string): Buffer {
  const bytes = Buffer.from(text)
  return Buffer.concat([int(bytes.length), bytes])
}

function readCompressed(bytes: Uint8Array): RegisterBrokerBody {
  const reader = new CompressedReader(inflated(bytes))
  while (!reader.step(Number.POSITIVE_INFINITY));
  return reader.value()
}

/** Reads a large body of 103 a slice at a time. */
export interface RegisterBodyReader {
  /** Reads about so many bytes more; true at the end. Throws SyntaxError or RangeError. */
  step(byteCount: number): boolean
  value(): RegisterBrokerBody
}

export interface RegisterBodyLimits {
  /** What a body may inflate to, in bytes. */
  readonly maxInflatedBytes: number
  readonly maxTopics: number
}

/** Inflating so much takes three milliseconds; what has more inside is left to the pool. */
const inflatedAtOnce = 1024 * 1024

/** A body of 103 as `registerBrokerBody` reads it, in slices, for those that would hold up the loop. */
export async function registerBodyReader(bytes: Uint8Array, limits: RegisterBodyLimits): Promise<RegisterBodyReader> {
  if (bytes[0] !== zlibFirstByte) return new PlainReader(bytes, limits)
  const { maxInflatedBytes } = limits
  try {
    return new CompressedReader(inflateSync(bytes, { maxOutputLength: inflatedAtOnce }), limits)
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_BUFFER_TOO_LARGE') throw notInflated(error)
  }
  try {
    return new CompressedReader(await inflateAsync(bytes, { maxOutputLength: maxInflatedBytes }), limits)
  } catch (error) {
    throw notInflated(error)
  }
}

/** The largest part of a body that is read at once: a topic, the version, or the list of filter servers. */
const maxPartBytes = 64 * 1024

class CompressedReader implements RegisterBodyReader {
  private readonly plain: Buffer
  private readonly topics = new Map<string, TopicConfig>()
  private readonly dataVersion: RegisterBrokerBody['topicConfigSerializeWrapper']['dataVersion']
  private at = 0
  private left: number

  constructor(plain: Buffer, { maxTopics = Number.POSITIVE_INFINITY }: Partial<RegisterBodyLimits> = {}) {
    this.plain = plain
    this.dataVersion = dataVersionShape.read(parseJavaJson(this.nextText()))
    this.left = this.nextInt()
    if (this.left > maxTopics) throw tooMany(maxTopics)
  }

  step(byteCount: number): boolean {
    const until = this.at + byteCount
    for (; this.left > 0 && this.at < until; this.left--) {
      const config = readTopicLine(this.nextText())
      this.topics.set(config.topicName, config)
    }
    return this.left <= 0
  }

  value(): RegisterBrokerBody {
    const servers = this.at < this.plain.length ? this.nextText() : ''
    // The static-topic part of 5.x may follow; nobody here reads it.
    return {
      filterServerList: list(string).read(servers === '' ? undefined : parseJavaJson(servers)),
      topicConfigSerializeWrapper: { dataVersion: this.dataVersion, topicConfigTable: this.topics },
    }
  }

  private nextInt(): number {
    if (this.at + 4 > this.plain.length) throw cutShort()
    this.at += 4
    return this.plain.readInt32BE(this.at - 4)
  }

  private nextText(): string {
    const length = this.nextInt()
    if (length < 0 || this.at + length > this.plain.length) throw cutShort()
    if (length > maxPartBytes) throw tooLong(length)
    this.at += length
    return this.plain.toString('utf8', this.at - length, this.at)
  }
}

class PlainReader implements RegisterBodyReader {
  private readonly members: JsonMembers
  private readonly topics = new Map<string, TopicConfig>()
  private readonly rest = new Map<string, unknown>()

  constructor(bytes: Uint8Array, { maxTopics }: RegisterBodyLimits) {
    this.members = new JsonMembers(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), {
      opens: path => path.length === 0 || isPathOf('', path) || isPathOf('topicConfigTable', path),
      found: (path, from, start, end) => {
        const name = path.at(-1) as string
        const isTopic = path.at(-2) === 'topicConfigTable'
        if (!isTopic && name !== 'dataVersion' && name !== 'filterServerList') return
        if (end - start > maxPartBytes) throw tooLong(end - start)
        const json = parseJavaJson(from.toString('utf8', start, end))
        if (!isTopic) this.rest.set(name, json)
        else {
          if (this.topics.size >= maxTopics) throw tooMany(maxTopics)
          this.topics.set(name, topicConfigShape.read(json))
        }
      },
    })
  }

  step(byteCount: number): boolean {
    return this.members.step(byteCount)
  }

  value(): RegisterBrokerBody {
    const dataVersion = dataVersionShape.read(this.rest.get('dataVersion'))
    return {
      filterServerList: list(string).read(this.rest.get('filterServerList')),
      topicConfigSerializeWrapper: { dataVersion, topicConfigTable: this.topics },
    }
  }
}

/** Whether a path leads to the wrapper, or to this member of it; brokers before 3.0.11 send no wrapper. */
function isPathOf(member: string, path: readonly string[]): boolean {
  const inside = path[0] === 'topicConfigSerializeWrapper' ? path.slice(1) : path
  return member === '' ? path.length === 1 && inside.length === 0 : inside.length === 1 && inside[0] === member
}

const cutShort = () => new RangeError('the compressed register body is cut short')
const tooMany = (limit: number) => new RangeError(`a broker may register ${limit} topics at most (maxRegisteredTopics)`)
const tooLong = (length: number) =>
  new RangeError(`a part of the register body has ${length} bytes; at most ${maxPartBytes} are read`)

function notInflated(error: unknown): Error {
  if (error instanceof RangeError && (error as { code?: string }).code !== 'ERR_BUFFER_TOO_LARGE') return error
  return new RangeError(`the register body does not inflate: ${(error as Error).message}`, { cause: error })
}

function inflated(bytes: Uint8Array): Buffer {
  try {
    return inflateSync(bytes, { maxOutputLength: maxInflatedBytes })
  } catch (error) {
    throw notInflated(error)
  }
}

function readTopicLine(line: string): TopicConfig {
  const [topicName, readQueueNums, writeQueueNums, perm, topicFilterType, ...attributes] = line.split(' ')
  if (topicFilterType === undefined) throw new RangeError('a topic of the compressed register body is cut short')
  return topicConfigShape.read({
    topicName,
    readQueueNums,
    writeQueueNums,
    perm,
    topicFilterType,
    attributes: attributes.length === 0 ? undefined : parseJavaJson(attributes.join(' ')),
  })
}
