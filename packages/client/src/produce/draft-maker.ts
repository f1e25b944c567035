import { ClientError } from '../error.ts'
import { batchDraft, splitBySize } from '../message/batch.ts'
import { compressBody } from '../message/compression.ts'
import type { BodyCodec, Message } from '../message/message.ts'
import { checkMessage, type Draft, draftOf } from '../message/outgoing.ts'
import type { ProducerSettings } from './options.ts'

export interface DraftMakerParts<T> {
  readonly settings: ProducerSettings
  readonly namespace: string
  readonly codec: BodyCodec<T> | undefined
  newId(): string
}

/** From what the application gives to what is sent. */
export class DraftMaker<T> {
  private readonly parts: DraftMakerParts<T>

  constructor(parts: DraftMakerParts<T>) {
    this.parts = parts
  }

  /** Of a message that `checkMessage` has seen. */
  async single(message: Message<T>): Promise<Draft> {
    const draft = this.plain(message, await this.bytesOf(message.body))
    const { body, sysFlag } = compressBody(draft.body, draft.sysFlag, this.parts.settings.compression)
    return { ...draft, body, sysFlag }
  }

  /** As few batches as the size allows, in order. Batches are not compressed. */
  async batches(messages: readonly Message<T>[]): Promise<{ draft: Draft; messages: number }[]> {
    if (!Array.isArray(messages)) throw new ClientError('ARGUMENT', 'a batch is a list of messages')
    if (messages.length === 0) throw new ClientError('ARGUMENT', 'a batch needs a message')
    for (const message of messages) checkMessage(message)
    const drafts = await Promise.all(
      messages.map(async message => this.plain(message, await this.bytesOf(message.body))),
    )
    return splitBySize(drafts, this.parts.settings.maxBatchBytes).map(group => ({
      draft: batchDraft(group),
      messages: group.length,
    }))
  }

  /** Messages that may become one batch, each by itself. */
  apart(messages: readonly Message<T>[]): Promise<PromiseSettledResult<Draft>[]> {
    return Promise.allSettled(messages.map(async message => this.plain(message, await this.bytesOf(message.body))))
  }

  private plain(message: Message<T>, body: Uint8Array): Draft {
    const { namespace, settings } = this.parts
    return draftOf(message, body, {
      namespace,
      maxMessageSize: settings.maxMessageSize,
      maxDelayLevel: settings.maxDelayLevel,
      newId: () => this.parts.newId(),
    })
  }

  private bytesOf(body: T): Uint8Array | Promise<Uint8Array> {
    if (this.parts.codec !== undefined) return this.parts.codec.encode(body)
    if (typeof body === 'string') return Buffer.from(body)
    if (body instanceof Uint8Array) return body
    throw new ClientError('ARGUMENT', 'the body is neither text nor bytes: give the producer a codec, e.g. jsonCodec()')
  }
}
