import { encodeHost, halfTopic, opTopic, printProperties } from '@skua-mq/protocol'
import type { Clock } from '@skua-mq/runtime'
import { type AppendWaiter, Draft, type PutResult } from '../put.ts'
import type { Store } from '../store.ts'
import { ExportError, type ExportedMessage, readExported } from './exported.ts'

/** Appends whose outcome is waited for before the next ones are made. */
const window = 1024
/** How long to wait where the disk does not keep up. */
const busyPauseMs = 20

/** Messages of transactions under way: what they say of places in queues and log holds in their own store only. */
const transactionTopics: readonly string[] = [halfTopic, opTopic]
const transactionBits = 0xc
const committed = 0x8

export interface Imported {
  readonly messages: number
  /** Messages of transactions that had not ended, which are left out. */
  readonly leftOut: number
  /** Queues by topic: one more than the highest queue id that was seen. */
  readonly queues: ReadonlyMap<string, number>
}

/**
 * Appends exported messages to a store that is started, in their order. Queue offsets, physical offsets and store times
 * are new; all else stays. Throws ExportError with the line that is no message, or with what the store says of one; what
 * came before is stored then.
 */
export async function importMessages(store: Store, lines: AsyncIterable<string>, clock: Clock): Promise<Imported> {
  const run = new ImportRun(store, clock)
  let number = 0
  for await (const line of lines) {
    number++
    if (line.trim() !== '') await run.take(readExported(line, number), number)
  }
  await run.settled()
  return run
}

class ImportRun implements AppendWaiter, Imported {
  messages = 0
  leftOut = 0
  readonly queues = new Map<string, number>()
  private readonly store: Store
  private readonly clock: Clock
  private readonly draft = new Draft()
  private open = 0
  private isBusy = false
  private refusal: string | undefined
  private resume: (() => void) | undefined

  constructor(store: Store, clock: Clock) {
    this.store = store
    this.clock = clock
    this.draft.waitStored = false
  }

  async take(message: ExportedMessage, line: number): Promise<void> {
    const state = message.sysFlag & transactionBits
    if (transactionTopics.includes(message.topic) || (state !== 0 && state !== committed)) {
      this.leftOut++
      return
    }
    this.fill(message)
    do {
      this.isBusy = false
      this.open++
      this.store.append(this.draft, this)
      if (this.isBusy) await new Promise<void>(resolve => this.clock.after(busyPauseMs, resolve))
    } while (this.isBusy)
    if (this.open >= window) await this.settled()
    if (this.refusal !== undefined) throw new ExportError(`line ${line} or one before it: ${this.refusal}`)
    this.messages++
    this.queues.set(message.topic, Math.max(this.queues.get(message.topic) ?? 0, message.queueId + 1))
  }

  /** Everything that was appended is stored. */
  async settled(): Promise<void> {
    if (this.open > 0) {
      await new Promise<void>(resolve => {
        this.resume = resolve
      })
    }
    if (this.refusal !== undefined) throw new ExportError(this.refusal)
  }

  stored(result: PutResult): void {
    this.open--
    if (result.status === 'busy') this.isBusy = true
    else if (result.status !== 'ok') this.refusal ??= result.remark
    if (this.open > 0) return
    this.resume?.()
    this.resume = undefined
  }

  private fill(message: ExportedMessage): void {
    const { draft } = this
    draft.topic = message.topic
    draft.queueId = message.queueId
    draft.flag = message.flag
    draft.sysFlag = message.sysFlag
    draft.bornAtMs = message.bornTimestamp
    draft.bornHost = encodeHost(message.bornHost, message.bornPort)!
    draft.reconsumeTimes = message.reconsumeTimes
    draft.preparedTransactionOffset = message.preparedTransactionOffset
    draft.body = Buffer.from(message.bodyHex, 'hex')
    draft.bodyStart = 0
    draft.bodyEnd = draft.body.length
    draft.properties = Buffer.from(printProperties(new Map(Object.entries(message.properties))))
    draft.propertiesStart = 0
    draft.propertiesEnd = draft.properties.length
  }
}
