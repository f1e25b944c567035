import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configOf, SimClock } from '@skua-mq/runtime'
import { telemetry } from '../../src/calls/telemetry.ts'
import type { CallContext, Duplex } from '../../src/grpc/method.ts'
import { gatewayOptions } from '../../src/options.ts'

/** One end of a stream: what is said to it, and who waits for its end. */
class Stream {
  readonly endings: (() => void)[] = []
  say: (message: object) => Promise<void> = async () => {}

  readonly duplex = {
    open: true,
    send: () => true,
    onMessage: (listener: (message: object) => Promise<void>) => {
      this.say = listener
    },
    onClosed: (listener: () => void) => this.endings.push(listener),
  } as unknown as Duplex<never, object>
}

test('two streams of one client, whose settings come by turns, keep one listener each', async () => {
  const client = { stream: undefined as unknown, topics: [], membership: { beat: async () => {} }, set: () => {} }
  const needs = {
    users: { of: () => ({ account: '', brokers: {} }) },
    clients: { get: () => client, set: () => {} },
    ...{ groups: {}, questions: {}, clock: new SimClock(), config: configOf(gatewayOptions, {}) },
  }
  const { both } = telemetry(needs as never)
  const [one, other] = [new Stream(), new Stream()]
  for (const { duplex } of [one, other]) both!(duplex, {} as CallContext)
  const settings = { publishing: { topics: [{ name: 'T' }] } }
  for (let n = 0; n < 50; n++) for (const stream of [one, other]) await stream.say({ settings })
  assert.deepEqual([one.endings.length, other.endings.length], [1, 1])
  assert.equal(client.stream, other.duplex)
  one.endings[0]!()
  assert.equal(client.stream, other.duplex)
  other.endings[0]!()
  assert.equal(client.stream, undefined)
})
