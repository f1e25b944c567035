import assert from 'node:assert/strict'
import { checkTransactionState, endTransaction, readRecord } from '@skua-mq/protocol'
import { noReply, RemotingClient, route } from '@skua-mq/remoting'
import { simRuntime } from '@skua-mq/runtime'
import type { Store } from '@skua-mq/store'
import type { BrokerConfig } from '../src/index.ts'
import { PopMachine } from './pop/pop-machine.ts'
import { Popper } from './pop/popper.ts'
import { Peer } from './world.ts'

export type Bad =
  | { readonly topic: string; readonly queueId?: number; readonly offset: number }
  | { readonly path: string; readonly place: readonly [number, number] }

/** A broker on a disk with a bad place, and what came of it. */
export class BadDisk extends PopMachine {
  readonly asked = new Set<string>()
  /** The bad record lies in a file of the log without the others. */
  isApart = false
  private clients = 0

  get store(): Store {
    return (this.broker as unknown as { life: { store: Store } }).life.store
  }

  peer(): Peer {
    const { clock, network } = this
    const host = `peer-${++this.clients}`
    const routes = [
      route(checkTransactionState, (_, { body }) => {
        this.asked.add(Buffer.from(readRecord(body)!.message.body).toString())
        return noReply
      }),
    ]
    return new Peer(this, new RemotingClient({ ...simRuntime({ seed: 2, host, clock, network }), routes }), host)
  }

  popper(): Popper {
    return new Popper(this.peer())
  }

  /** Sends a transactional message; returns how to end it. */
  async half(peer: Peer, body: string) {
    const properties = { TRAN_MSG: 'true', PGROUP: 'tx', UNIQ_KEY: body }
    const { header } = await peer.send('T', body, { sysFlag: 4, properties })
    return () =>
      peer.ask(endTransaction, {
        producerGroup: 'tx',
        tranStateTableOffset: header!.queueOffset,
        commitLogOffset: Number.parseInt(header!.msgId.slice(16), 16),
        commitOrRollback: 8,
        fromTransactionCheck: false,
        msgId: body,
      })
  }

  /** What comes next lies in another file of the log than what came before. */
  async apart(): Promise<void> {
    if (!this.isApart) return
    const peer = this.peer()
    for (let n = 0; n < 2; n++) await peer.send('U', 'x'.repeat(40_000))
  }

  /** What the disk is not going to give: a record of the log, or bytes of another file. */
  placeOf(what: Bad): { path: string; place: readonly [number, number] } {
    if ('path' in what) return what
    const entry = { physicalOffset: 0, size: 0, tagsCode: 0 }
    assert.equal(this.store.queue(what.topic, what.queueId ?? 0)?.entries(what.offset, [entry]), 1, what.topic)
    return { path: 'commitlog', place: [entry.physicalOffset, entry.physicalOffset + entry.size] }
  }

  bodies(topic = 'T', queueId = 0): string[] {
    const found: string[] = []
    const entry = { physicalOffset: 0, size: 0, tagsCode: 0 }
    for (let offset = 0; offset < this.store.maxOffset(topic, queueId); offset++) {
      this.store.queue(topic, queueId)!.entries(offset, [entry])
      found.push(Buffer.from(readRecord(this.store.readRecordSync(entry.physicalOffset)!)!.message.body).toString())
    }
    return found
  }

  /** A file that is made again lies elsewhere on the disk. */
  async madeAgain(lift: () => void): Promise<void> {
    const again = () => this.events.some(event => event.name === 'timer files are made again from the timer topic')
    for (let second = 0; second < 180 && !again(); second++) await this.clock.advanceAsync(1000)
    assert.ok(again(), 'they are not made again')
    lift()
  }

  async restart(changes: Partial<BrokerConfig> = {}): Promise<void> {
    await this.settle(this.broker.stop())
    this.kill()
    this.change(changes)
    await this.boot()
  }
}
