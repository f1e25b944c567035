import 'reflect-metadata'
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices'
import { Producer } from '@skua-mq/client'
import { firstValueFrom, of } from 'rxjs'
import { type Standalone, startStandalone } from 'skua'
import { readPattern, SkuaClient, type SkuaContext, SkuaRecord, SkuaServer } from '../src/index.ts'

const seen: [handler: string, data: unknown, tag: string | undefined, tries: number][] = []
let failures = 0

/** Decorators as functions: what TypeScript makes of them. */
function decorate(target: object, method: string, ...decorators: ((...args: never[]) => unknown)[]): void {
  const descriptor = Object.getOwnPropertyDescriptor(target, method)!
  for (const decorator of decorators) decorator(...([target, method, descriptor] as never[]))
  Object.defineProperty(target, method, descriptor)
}
const parameters = (target: object, method: string): void => {
  Payload()(target, method, 0)
  Ctx()(target, method, 1)
}

class Orders {
  paid(data: unknown, context: SkuaContext): void {
    const message = context.getMessage()
    seen.push(['paid', data, message.tag, message.reconsumeTimes])
    context.getConsumeContext().delayLevelWhenNextConsume = 1
    if (failures-- > 0) throw new Error('no database')
  }

  all(data: unknown, context: SkuaContext): void {
    seen.push(['all', data, context.getMessage().tag, context.getMessage().reconsumeTimes])
  }

  price(data: { item: string }): unknown {
    if (data.item === 'none') throw new Error('no such item')
    return of({ item: data.item, price: 7 })
  }
}
decorate(Orders.prototype, 'paid', EventPattern('Orders:paid || refunded') as never)
decorate(Orders.prototype, 'all', EventPattern({ topic: 'Orders' }) as never)
decorate(Orders.prototype, 'price', MessagePattern('Prices') as never)
for (const method of ['paid', 'all', 'price']) parameters(Orders.prototype, method)

async function until(what: string, holds: () => boolean): Promise<void> {
  const end = Date.now() + 20_000
  while (!holds()) {
    if (Date.now() > end) throw new Error(`not within 20 s: ${what} (${JSON.stringify(seen)})`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

describe('a Nest service over Skua', () => {
  let skua: Standalone
  let service: { close(): Promise<void> }
  let client: SkuaClient

  before(async () => {
    const { Controller } = await import('@nestjs/common')
    Controller()(Orders)
    class App {}
    Module({ controllers: [Orders] })(App)
    skua = await startStandalone({ port: 0, store: 'memory', topics: [{ name: 'Orders' }, { name: 'Prices' }] })
    const { namesrvAddr } = skua
    const consumer = { consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET', pollNameServerInterval: 500 } as const
    const strategy = new SkuaServer({ namesrvAddr, group: 'billing', consumer })
    const app = await NestFactory.createMicroservice(App, { strategy, logger: false })
    await app.listen()
    service = app
    client = new SkuaClient({ namesrvAddr, group: 'shop' })
  })

  after(async () => {
    await client?.close()
    await service?.close()
    await skua?.stop()
  })

  test('handlers of events get what matches their tags, as objects, text or bytes', async () => {
    await firstValueFrom(client.emit('Orders:paid', { id: 1 }))
    await firstValueFrom(client.emit({ topic: 'Orders', tag: 'created' }, 'text'))
    await firstValueFrom(client.emit('Orders:refunded', new SkuaRecord({ id: 2 }, { keys: ['k2'], orderKey: '2' })))
    await until('all have come', () => seen.length === 5)
    assert.deepEqual(seen.map(([handler, data, tag]) => `${handler} ${JSON.stringify(data)} ${tag}`).sort(), [
      'all "text" created',
      'all {"id":1} paid',
      'all {"id":2} refunded',
      'paid {"id":1} paid',
      'paid {"id":2} refunded',
    ])
  })

  test('what a handler throws brings the message again', async () => {
    seen.length = 0
    failures = 1
    const producer = new Producer({ namesrvAddr: skua.namesrvAddr, group: 'other' })
    await producer.send({ topic: 'Orders', tag: 'paid', body: 'not json {' })
    await producer.close()
    await until('it has come again', () => seen.some(([handler, , , tries]) => handler === 'paid' && tries === 1))
    assert.deepEqual(
      seen.filter(([handler]) => handler === 'paid').map(([, data, , tries]) => [data, tries]),
      [
        ['not json {', 0],
        ['not json {', 1],
      ],
    )
  })

  test('requests are answered, failures too', async () => {
    assert.deepEqual(await firstValueFrom(client.send('Prices', { item: 'tea' })), { item: 'tea', price: 7 })
    await assert.rejects(firstValueFrom(client.send('Prices', { item: 'none' })), error => {
      assert.match(String((error as { message?: string }).message ?? error), /Internal server error|no such item/)
      return true
    })
  })
})

test('patterns: a topic, with tags, or an object; anything else is refused', () => {
  assert.deepEqual(readPattern('T'), { topic: 'T' })
  assert.deepEqual(readPattern('T: A || B'), { topic: 'T', tag: 'A || B' })
  assert.deepEqual(readPattern('{"tag":"A","topic":"T"}'), { topic: 'T', tag: 'A' })
  for (const bad of ['', ':A', '{"topic":1}', '{', 7, undefined, { tag: 'A' }])
    assert.throws(() => readPattern(bad), { code: 'ARGUMENT', message: /is no pattern/ })
})
