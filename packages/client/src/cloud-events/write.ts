import { ClientError } from '../error.ts'
import type { Message } from '../message/message.ts'
import {
  type Attributes,
  attributePrefix,
  type CloudEvent,
  type CloudEventValue,
  contentTypeProperty,
  jsonFormat,
  noData,
  versionProperty,
} from './cloud-event.ts'
import { dataBytes } from './content.ts'

/** How an event becomes a message: all that a message has but its body. */
export interface CloudEventMessageOptions extends Omit<Message, 'body'> {
  /** `binary` (default): attributes are properties, data is the body. `structured`: the body is the event as JSON. */
  readonly mode?: 'binary' | 'structured' | undefined
}

/**
 * A message of an event, as the CloudEvents SDK of Java writes it for RocketMQ (its module `rocketmq`): attributes in properties CE_id,
 * CE_source … and the type of the data in CE_contenttype. Extensions are CE_name, too: so Java's reader finds them, although Java's writer leaves the
 * prefix out. Errors: ClientError MESSAGE for what is no event.
 */
export function cloudEventMessage(event: CloudEvent, options: CloudEventMessageOptions): Message<Uint8Array> {
  const { mode = 'binary', properties: others, ...message } = options
  if (mode !== 'binary' && mode !== 'structured')
    throw new ClientError('ARGUMENT', `mode must be 'binary' or 'structured': ${String(mode)} was given`)
  const attributes = attributesOf(event)
  const { bytes, contentType } = contentOf(event)
  const { body, properties } =
    mode === 'binary'
      ? binary(attributes, { bytes, contentType })
      : structured(attributes, event, { bytes, contentType })
  return { ...message, body, properties: { ...others, ...properties } }
}

interface Content {
  /** Undefined without data. */
  readonly bytes: Uint8Array | undefined
  readonly contentType: string | undefined
}

function binary(
  attributes: Attributes,
  { bytes, contentType }: Content,
): Pick<Message<Uint8Array>, 'body' | 'properties'> {
  const properties: Record<string, string> = { [versionProperty]: '1.0' }
  for (const [name, value] of Object.entries(attributes)) properties[`${attributePrefix}${name}`] = String(value)
  if (contentType !== undefined) properties[contentTypeProperty] = contentType
  return { body: bytes === undefined || bytes.length === 0 ? noData : bytes, properties }
}

function structured(
  attributes: Attributes,
  { data }: CloudEvent,
  { bytes, contentType }: Content,
): Pick<Message<Uint8Array>, 'body' | 'properties'> {
  const json: Record<string, unknown> = { specversion: '1.0', ...attributes }
  if (contentType !== undefined) json.datacontenttype = contentType
  if (bytes !== undefined && (data === undefined || data instanceof Uint8Array))
    json.data_base64 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
  else if (bytes !== undefined) json.data = data
  return { body: Buffer.from(JSON.stringify(json)), properties: { [contentTypeProperty]: jsonFormat } }
}

function contentOf(event: CloudEvent): Content {
  const { data, data_base64: base64, datacontenttype: given } = event
  if (data === undefined && typeof base64 === 'string')
    return { bytes: Buffer.from(base64, 'base64'), contentType: given }
  if (data === undefined) return { bytes: undefined, contentType: given }
  const contentType = given ?? (data instanceof Uint8Array ? undefined : 'application/json')
  return { bytes: dataBytes(data, contentType ?? 'application/octet-stream'), contentType }
}

const ofData = new Set(['data', 'data_base64', 'datacontenttype', 'specversion'])

/** All but those of the data and the version, which are checked. */
function attributesOf(event: CloudEvent): Attributes {
  if (typeof event !== 'object' || event === null) throw refused(`an event is an object: ${typeof event} was given`)
  const { specversion = '1.0', datacontenttype } = event
  if (specversion !== '1.0') throw refused(`events of version 1.0 are written: specversion is ${String(specversion)}`)
  if (datacontenttype !== undefined && (typeof datacontenttype !== 'string' || datacontenttype === ''))
    throw refused('datacontenttype must be a text')
  const attributes: Record<string, CloudEventValue> = {}
  for (const name of ['id', 'source', 'type'] as const) {
    const value: unknown = event[name]
    if (typeof value !== 'string' || value === '') throw refused(`an event needs ${name}, a text that is not empty`)
    attributes[name] = value
  }
  for (const [name, value] of Object.entries(event)) {
    if (ofData.has(name) || name in attributes || value === undefined || value === null) continue
    if (!/^[a-z0-9]+$/.test(name)) throw refused(`"${name}" is no name of an attribute: a-z and 0-9 only`)
    attributes[name] = attribute(name, value)
  }
  return attributes
}

function attribute(name: string, value: unknown): CloudEventValue {
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'string' && value !== '') return value
  if (typeof value === 'boolean' || Number.isInteger(value)) return value as CloudEventValue
  if (value instanceof Uint8Array)
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
  throw refused(
    `the attribute ${name} must be a text that is not empty, a whole number, true or false, bytes or a Date`,
  )
}

const refused = (message: string): ClientError => new ClientError('MESSAGE', message)
