/** A value of an extension. In binary mode all of them are text, and come back as text. */
export type CloudEventValue = string | number | boolean

/** An event of CloudEvents 1.0. Instances of the `CloudEvent` of the package `cloudevents` fit. */
export interface CloudEvent<T = unknown> {
  /** Unique together with `source`. */
  readonly id: string
  /** A URI. */
  readonly source: string
  readonly type: string
  /** Default 1.0, the only one that is written. */
  readonly specversion?: string | undefined
  /** Of `data`. Absent it is JSON, but for bytes. */
  readonly datacontenttype?: string | undefined
  /** A URI. */
  readonly dataschema?: string | undefined
  readonly subject?: string | undefined
  /** RFC 3339. */
  readonly time?: string | undefined
  readonly data?: T | undefined
  /** Extensions: names of lower-case letters and digits. */
  readonly [extension: string]: unknown
}

/** Attributes of an event that go as they are: all but `data` and its type. */
export type Attributes = Readonly<Record<string, CloudEventValue>>

/** Before the names of attributes in properties of a message. */
export const attributePrefix = 'CE_'
/** Of `data`, or of the whole event in structured mode. Java's binding looks for it here, and not in CE_datacontenttype. */
export const contentTypeProperty = 'CE_contenttype'
export const versionProperty = 'CE_specversion'

/** RocketMQ has no empty bodies: an event without data has this one. */
export const noData: Uint8Array = Uint8Array.of(0)

/** All formats of whole events begin so; batches are among them. */
export const structuredPrefix = 'application/cloudevents'
export const jsonFormat = 'application/cloudevents+json'
