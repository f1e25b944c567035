import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type } from 'arktype'
import * as v from 'valibot'
import { z } from 'zod'
import {
  type BodyCodec,
  idempotent,
  jsonCodec,
  type LitePullConsumer,
  type LitePullConsumerOptions,
  type OutputOf,
  Producer,
  PushConsumer,
  SimpleConsumer,
} from '../../src/index.ts'

/** Whether two types are the same one, `any` and `readonly` included; checked by `npm run types`. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const typesAreSame = <A, B>(..._: Same<A, B> extends true ? [] : [differ: { a: A; b: B }]): void => {}

interface Order {
  id: number
  state: 'new' | 'paid'
  note?: string
}

const schemas = {
  zod: z.object({ id: z.number(), state: z.enum(['new', 'paid']), note: z.string().exactOptional() }),
  valibot: v.object({ id: v.number(), state: v.picklist(['new', 'paid']), note: v.exactOptional(v.string()) }),
  arktype: type({ id: 'number', state: "'new' | 'paid'", 'note?': 'string' }),
}
const codecs = {
  zod: jsonCodec(schemas.zod),
  valibot: jsonCodec(schemas.valibot),
  arktype: jsonCodec(schemas.arktype),
}
const at = { namesrvAddr: '127.0.0.1:9876', group: 'types' }

/** What TypeScript makes of clients; never run. */
export function types(): void {
  typesAreSame<OutputOf<typeof schemas.zod>, Order>()
  typesAreSame<OutputOf<typeof schemas.valibot>, Order>()
  typesAreSame<OutputOf<typeof schemas.arktype>, Order>()
  typesAreSame<typeof codecs.zod, BodyCodec<Order>>()
  typesAreSame<typeof codecs.valibot, BodyCodec<Order>>()
  typesAreSame<typeof codecs.arktype, BodyCodec<Order>>()
  for (const codec of Object.values(codecs)) {
    const producer = new Producer({ ...at, codec })
    void producer.send({ topic: 'Orders', body: { id: 1, state: 'new' } })
    // @ts-expect-error 'old' is no state
    void producer.send({ topic: 'Orders', body: { id: 1, state: 'old' } })
    // @ts-expect-error state is missing
    void producer.send({ topic: 'Orders', body: { id: 1 } })
    // @ts-expect-error text is no order
    void producer.sendOneway({ topic: 'Orders', body: 'text' })
    void new Producer({
      ...{ ...at, codec },
      checkTransaction: message => {
        typesAreSame<typeof message.value, Order>()
        return 'commit'
      },
    })
      .request({ topic: 'Orders', body: { id: 1, state: 'new' } })
      .then(reply => typesAreSame<typeof reply.value, Order>())
    new PushConsumer({ ...at, codec }).subscribe('Orders').onMessage(message => {
      typesAreSame<typeof message.value, Order>()
    })
    new PushConsumer({ ...at, codec }).onMessage(
      idempotent({ key: message => String(message.value.id) }, message => typesAreSame<typeof message.value, Order>()),
    )
    void new SimpleConsumer({ ...at, codec }).receive().then(([message]) => {
      typesAreSame<NonNullable<typeof message>['value'], Order>()
    })
    const lite: LitePullConsumerOptions<Order> = { ...at, codec }
    void lite
    typesAreSame<Awaited<ReturnType<LitePullConsumer<Order>['poll']>>[number]['value'], Order>()
  }
  new PushConsumer(at).subscribe('Orders').onMessage(message => typesAreSame<typeof message.value, undefined>())
  new Producer({
    ...at,
    checkTransaction: message => {
      typesAreSame<typeof message.value, string | Uint8Array | undefined>()
      return 'commit'
    },
  })
  // @ts-expect-error without a codec a body is text or bytes
  void new Producer(at).send({ topic: 'Orders', body: { id: 1 } })
  // @ts-expect-error it yields a number, and takes a text: what was written could not be read
  jsonCodec(z.string().transform(Number))
  // @ts-expect-error
  jsonCodec(v.pipe(v.string(), v.transform(Number)))
  // @ts-expect-error
  jsonCodec(type('string').pipe(Number))
  typesAreSame<ReturnType<typeof dates>, BodyCodec<{ at: Date }>>()
  typesAreSame<ReturnType<typeof withDefault>, BodyCodec<{ state: string }>>()
}

const dates = () => jsonCodec(z.object({ at: z.coerce.date<unknown>() }))
const withDefault = () => jsonCodec(z.object({ state: z.string().default('new') }))

describe('a schema of', () => {
  for (const [name, codec] of Object.entries(codecs))
    test(`${name} checks bodies on their way out and in`, async () => {
      const order: Order = { id: 7, state: 'paid' }
      assert.deepEqual(await codec.decode(await codec.encode(order)), order)
      const wrong = { code: 'MESSAGE', message: /does not fit its schema: .*id/ }
      await assert.rejects(async () => codec.encode({ ...order, id: '7' } as never), wrong)
      await assert.rejects(async () => codec.decode(Buffer.from('{"id":"7","state":"new"}')), wrong)
    })
})

test('a schema that takes what it yields may change it: dates come back, defaults go along', async () => {
  const at = new Date('2030-01-01T00:00:00Z')
  assert.deepEqual(await dates().decode(await dates().encode({ at })), { at })
  assert.equal(Buffer.from(await withDefault().encode({} as never)).toString(), '{"state":"new"}')
})
