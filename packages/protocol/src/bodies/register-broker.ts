import { deflateSync, inflateSync } from 'node:zlib'
import { parseJavaJson } from '../json/parse.ts'
import { printJavaJson } from '../json/print.ts'
import type { Codec } from '../request.ts'
import { dataVersionShape } from './data-version.ts'
import { bean, list, string, type ValueOfShape } from './shape.ts'
import { type TopicConfig, topicConfigShape, topicConfigTableShape } from './topic-config.ts'

const shape = bean({ filterServerList: list(string), topicConfigSerializeWrapper: topicConfigTableShape })
export type RegisterBrokerBody = ValueOfShape<typeof shape>

/** A body that inflates to more is refused. */
const maxInflatedBytes = 64 * 1024 * 1024
const zlibFirstByte = 0x78

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
  const plain = inflated(bytes)
  let at = 0
  const nextInt = (): number => {
    if (at + 4 > plain.length) throw new RangeError('the compressed register body is cut short')
    at += 4
    return plain.readInt32BE(at - 4)
  }
  const nextText = (): string => {
    const length = nextInt()
    if (length < 0 || at + length > plain.length) throw new RangeError('the compressed register body is cut short')
    at += length
    return plain.toString('utf8', at - length, at)
  }
  const dataVersion = dataVersionShape.read(parseJavaJson(nextText()))
  const topicConfigTable = new Map<string, TopicConfig>()
  for (let left = nextInt(); left > 0; left--) {
    const config = readTopicLine(nextText())
    topicConfigTable.set(config.topicName, config)
  }
  const servers = at < plain.length ? nextText() : ''
  // The static-topic part of 5.x may follow; nobody here reads it.
  return {
    filterServerList: list(string).read(servers === '' ? undefined : parseJavaJson(servers)),
    topicConfigSerializeWrapper: { dataVersion, topicConfigTable },
  }
}

function inflated(bytes: Uint8Array): Buffer {
  try {
    return inflateSync(bytes, { maxOutputLength: maxInflatedBytes })
  } catch (error) {
    throw new RangeError(`the register body does not inflate: ${(error as Error).message}`, { cause: error })
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
