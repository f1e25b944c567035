import { ClientError } from '../error.ts'
import {
  attributePrefix,
  type CloudEvent,
  contentTypeProperty,
  noData,
  structuredPrefix,
  versionProperty,
} from './cloud-event.ts'
import { dataValue, mediaTypeOf, parsed } from './content.ts'

/** What is read of a message: a `ReceivedMessage` has it. */
export interface CloudEventCarrier {
  readonly properties: ReadonlyMap<string, string>
  readonly body: Uint8Array
}

/** Where else an event may have parts of itself. */
export interface ReadCloudEventOptions {
  /** Extensions that lie in properties of just their names: Java's writer puts them there, where they look like any property. */
  readonly extensions?: readonly string[] | undefined
}

/** Whether a message holds an event, in whichever mode. */
export const isCloudEvent = ({ properties }: Pick<CloudEventCarrier, 'properties'>): boolean =>
  properties.has(versionProperty) || isStructured(properties.get(contentTypeProperty))

/**
 * The event of a message in binary or structured (JSON) mode. `data` is the value of JSON, the text of text and XML, else a Buffer; undefined where there
 * is none. Errors: ClientError MESSAGE where it holds none, or none that can be read.
 */
export function readCloudEvent<T = unknown>(
  { properties, body }: CloudEventCarrier,
  { extensions = [] }: ReadCloudEventOptions = {},
): CloudEvent<T> {
  const contentType = properties.get(contentTypeProperty)
  const event = isStructured(contentType)
    ? structured(contentType as string, body)
    : binary(properties, { contentType, body, extensions })
  for (const name of ['id', 'source', 'type'])
    if (typeof event[name] !== 'string' || event[name] === '') throw refused(`the event has no ${name}`)
  return event as CloudEvent<T>
}

const isStructured = (contentType: string | undefined): boolean =>
  contentType !== undefined && mediaTypeOf(contentType).startsWith(structuredPrefix)

type Parts = Record<string, unknown>

function binary(
  properties: ReadonlyMap<string, string>,
  {
    contentType,
    body,
    extensions,
  }: { contentType: string | undefined; body: Uint8Array; extensions: readonly string[] },
): Parts {
  if (!properties.has(versionProperty))
    throw refused(
      `the message holds no event: it has neither ${versionProperty} nor a ${contentTypeProperty} of events`,
    )
  const event: Parts = {}
  for (const name of extensions) if (properties.has(name)) event[name] = properties.get(name)
  for (const [name, value] of properties)
    if (name.startsWith(attributePrefix) && name !== contentTypeProperty) {
      const attribute = name.slice(attributePrefix.length)
      if (/^[a-z0-9]+$/.test(attribute)) event[attribute] = value
    }
  if (contentType !== undefined) event.datacontenttype = contentType
  const hasData = body.length > 1 || (body.length === 1 && body[0] !== noData[0])
  if (hasData) event.data = dataValue(body, event.datacontenttype as string | undefined)
  return event
}

function structured(contentType: string, body: Uint8Array): Parts {
  if (mediaTypeOf(contentType) !== `${structuredPrefix}+json`)
    throw refused(`events in the format ${contentType} cannot be read: application/cloudevents+json can`)
  const json = parsed(Buffer.from(body.buffer, body.byteOffset, body.byteLength), 'the event')
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw refused('the event is no JSON object')
  const { data_base64: base64, ...event } = json as Parts
  for (const [name, value] of Object.entries(event)) if (value === null && name !== 'data') delete event[name]
  if (typeof base64 === 'string')
    event.data = dataValue(Buffer.from(base64, 'base64'), event.datacontenttype as string | undefined)
  return event
}

const refused = (message: string): ClientError => new ClientError('MESSAGE', message)
