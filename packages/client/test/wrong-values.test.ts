import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { getRouteInfoByTopic } from '@skua-mq/protocol'
import { refuse, route } from '@skua-mq/remoting'
import {
  Admin,
  type ClientOptions,
  jsonCodec,
  LitePullConsumer,
  Producer,
  PullConsumer,
  PushConsumer,
  ScheduledPull,
  SimpleConsumer,
} from '../src/index.ts'
import { world } from './scripted-cluster.ts'

const base = { namesrvAddr: '127.0.0.1:9876', group: 'g', logger: false } as const

type Make = (options: object) => unknown
const clients: Readonly<Record<string, Make>> = {
  Producer: options => new Producer({ ...base, ...options }),
  PushConsumer: options => new PushConsumer({ ...base, ...options }),
  LitePullConsumer: options => new LitePullConsumer({ ...base, ...options }),
  PullConsumer: options => new PullConsumer({ ...base, ...options }),
  ScheduledPull: options => new ScheduledPull({ ...base, ...options }),
  SimpleConsumer: options => new SimpleConsumer({ ...base, ...options }),
  Admin: options => new Admin({ namesrvAddr: base.namesrvAddr, ...options }),
}

const refused = (make: () => unknown, message: RegExp) => assert.throws(make, { code: 'ARGUMENT', message })

describe('options', () => {
  for (const [name, make] of Object.entries(clients)) {
    test(`that ${name} does not know are refused, with the nearest that it knows`, () => {
      refused(() => make({ namesrvAdr: 'a:1' }), /has no option namesrvAdr; did you mean namesrvAddr\?$/)
      refused(() => make({ somethingElse: 1 }), /has no option somethingElse$/)
    })

    test(`of ${name} of another type are refused with what was given`, () => {
      for (const [options, message] of [
        [{ heartbeatBrokerInterval: '3000' }, /heartbeatBrokerInterval must be a number: "3000" was given/],
        [{ mqClientApiTimeout: null }, /mqClientApiTimeout must be a number: object null/],
        [{ instanceName: 7 }, /instanceName must be a text: number 7/],
        [{ credentials: 'ak' }, /credentials must be an object: "ak"/],
        [{ credentials: null }, /credentials must be an object: object null/],
      ] as const)
        refused(() => make(options), message)
    })

    test(`of ${name} that are undefined are as if they were not there`, () => {
      make({ heartbeatBrokerInterval: undefined, credentials: undefined })
    })

    test(`of ${name}: an address without a port is refused before anything is connected`, () => {
      for (const namesrvAddr of ['localhost', 'a:1;b', ['a:1', 'b:port'], '127.0.0.1:0'])
        refused(() => make({ namesrvAddr }), /is no host:port; name servers mostly have port 9876/)
    })
  }

  test('with a few values are refused with all of them, and the nearest', () => {
    refused(
      () => new PushConsumer({ ...base, consumeFromWhere: 'CONSUME_FROM_FIRST_OFSET' as never }),
      /consumeFromWhere must be one of .*CONSUME_FROM_FIRST_OFFSET.*; did you mean CONSUME_FROM_FIRST_OFFSET\?/,
    )
    for (const Consumer of [PushConsumer, LitePullConsumer, PullConsumer])
      refused(
        () => new Consumer({ ...base, messageModel: 'clustering' as never }),
        /messageModel must be one of CLUSTERING, BROADCASTING: "clustering" was given; did you mean CLUSTERING\?/,
      )
    refused(
      () => new Producer({ ...base, compressType: 'GZIP' as never }),
      /compressType must be one of ZLIB, LZ4, ZSTD/,
    )
    refused(() => new Producer({ ...base, checkTransaction: 'commit' as never }), /checkTransaction must be a function/)
    refused(() => new PushConsumer({ ...base, orderly: 'yes' as never }), /orderly must be true or false: "yes"/)
  })

  test('that are none at all are refused', () => {
    for (const options of [undefined, null, 'a:1', 5])
      refused(() => new Producer(options as never), /Producer takes an object of options/)
  })
})

describe('expressions', () => {
  const wrong: [string, string | undefined, RegExp][] = [
    ['A,B', undefined, /tags are joined by \|\|/],
    ['A | B', undefined, /tags are joined by \|\|/],
    ['A|B', undefined, /tags are joined by \|\|/],
    ['A;B', undefined, /tags are joined by \|\|/],
    ['A && B', undefined, /tags are joined by \|\|/],
    ['A ||', undefined, /a tag is missing beside/],
    ['|| A', undefined, /a tag is missing beside/],
    ['A || || B', undefined, /a tag is missing beside/],
    ['A || *', undefined, /a tag is missing beside/],
    ['a > 5', undefined, /for SQL give \{ type: 'SQL92' \}/],
    ["color = 'red'", undefined, /for SQL give/],
    ['a IS NOT NULL', undefined, /for SQL give/],
    ['a BETWEEN 1 AND 2', undefined, /for SQL give/],
    ['a > 5', 'SQL', /the type of an expression is TAG or SQL92: "SQL" was given/],
    ['a > 5', 'sql92', /TAG or SQL92: "sql92"/],
    [5 as never, undefined, /an expression is a text: number/],
  ]
  for (const [expression, type, message] of wrong)
    test(`${expression} ${type ?? ''} is refused`, async () => {
      refused(() => new PushConsumer(base).subscribe('T', expression, { type: type as never }), message)
      refused(() => new LitePullConsumer(base).subscribe('T', expression, { type: type as never }), message)
      await assert.rejects(new SimpleConsumer(base).subscribe('T', expression, { type: type as never }), {
        code: 'ARGUMENT',
        message,
      })
    })

  test('that can be are taken', () => {
    for (const [expression, type] of [
      ['*', undefined],
      ['', undefined],
      ['A', undefined],
      ['A||B', undefined],
      [' A  ||  B ', 'TAG'],
      ['order-created', undefined],
      ['is', undefined],
      ['a > 5', 'SQL92'],
    ] as const)
      new PushConsumer(base).subscribe('T', expression, { type })
  })
})

describe('messages', () => {
  test('with a key that holds a blank, or a delay level that nobody has, are refused', async () => {
    const at = await world(1)
    const { runtime, namesrvAddr } = at
    const options: ClientOptions = { runtime, namesrvAddr, logger: false }
    const producer = new Producer({ ...options, group: 'g' })
    for (const [message, expected] of [
      [{ keys: 'a b' }, /the key "a b" holds a blank: give several keys as a list/],
      [{ keys: ['a', 'b\tc'] }, /holds a blank/],
      [{ delayLevel: 19 }, /delayLevel 19 is above 18/],
    ] as const)
      await assert.rejects(at.settle(producer.send({ topic: 'T', body: 'x', ...message })), {
        code: 'ARGUMENT',
        message: expected,
      })
    assert.equal(at.brokers[0]!.sends.length, 0)
    const own = new Producer({ ...options, group: 'g2', maxDelayLevel: 30 })
    await at.settle(own.send({ topic: 'T', body: 'x', delayLevel: 30, keys: ['a', 'b'] }))
    await at.settle(Promise.all([producer.close(), own.close()]))
    await at.stop()
  })
})

describe('calls', () => {
  test('with fields or options that nobody knows send nothing', async () => {
    const at = await world(1)
    const { runtime, namesrvAddr } = at
    const producer = new Producer({ runtime, namesrvAddr, group: 'g', logger: false })
    const message = { topic: 'T', body: 'x' }
    for (const [wrong, expected] of [
      [{ tags: 'A' }, /a message has no option tags; did you mean tag\?/],
      [{ key: 'k' }, /did you mean keys\?/],
      [{ headers: {} }, /did you mean properties\?/],
      [{ delay: 1000 }, /did you mean delayMs\?/],
      [{ orderKey: 'k' }, /no option orderKey: it is given beside the message, as in send\(message, \{ orderKey \}\)/],
      [{ topic: undefined }, /^a message needs a topic$/],
      [{ topic: 5 }, /topic must be a text: number 5/],
      [{ body: undefined }, /^a message needs a body$/],
      [{ body: undefined, messages: [{ value: 'x' }] }, /a message has no option messages/],
      [{ body: { id: 1 } }, /give the producer a codec, e.g. jsonCodec\(\)/],
    ] as const)
      await assert.rejects(at.settle(producer.send({ ...message, ...(wrong as object) })), {
        code: 'ARGUMENT',
        message: expected,
      })
    for (const [options, expected] of [
      [{ timeout: 5 }, /send has no option timeout; did you mean timeoutMs\?/],
      [{ delayMs: 5 }, /send has no option delayMs: it is a member of the message/],
      [{ orderKey: 'k', select: () => undefined }, /give one of orderKey, queue and select/],
    ] as const)
      await assert.rejects(at.settle(producer.send(message, options as never)), { code: 'ARGUMENT', message: expected })
    await assert.rejects(at.settle(producer.start({ waitForBrokers: true } as never)), /did you mean waitForBroker\?/)
    for (const call of ['send', 'sendOneway', 'request'] as const)
      await assert.rejects(at.settle<unknown>(producer[call]('T' as never, { id: 1 } as never)), {
        code: 'ARGUMENT',
        message: /a message is an object, as \{ topic, body \}: "T" was given/,
      })
    await assert.rejects(at.settle(producer.transaction('T' as never, () => {})), /a message is an object/)
    await assert.rejects(at.settle(producer.sendBatch(message as never)), /a batch is a list of messages/)
    await assert.rejects(at.settle(producer.sendBatch([message, 'T' as never])), /a message is an object/)
    await assert.rejects(at.settle(producer.recall('T', 'h', { timeout: 5 } as never)), /did you mean timeoutMs\?/)
    assert.equal(at.brokers[0]!.sends.length, 0)
    const admin = new Admin({ runtime, namesrvAddr, logger: false })
    await assert.rejects(at.settle(admin.createTopic('New', { queues: 3 } as never)), /did you mean queueNum\?/)
    await assert.rejects(at.settle(admin.createTopic('New', { partitions: 3 } as never)), /did you mean queueNum\?/)
    await at.settle(Promise.all([producer.close(), admin.close()]))
    await at.stop()
  })

  test('with a handler that is none', () => {
    refused(() => new PushConsumer(base).onMessage(undefined as never), /a handler is a function: undefined was given/)
    refused(() => new PushConsumer(base).onMessages('x' as never), /a handler is a function: string/)
  })
})

describe('what other clients have', () => {
  test('is told by its name here', () => {
    const makers = { Producer: clients.Producer!, PushConsumer: clients.PushConsumer! }
    for (const [name, given, here] of [
      ['Producer', { nameSrv: 'a:1' }, 'namesrvAddr'],
      ['Producer', { bootstrapBrokers: ['a:1'] }, 'namesrvAddr'],
      ['Producer', { producerGroup: 'g' }, 'group'],
      ['Producer', { accessKeyId: 'k' }, 'credentials'],
      ['Producer', { attempts: 3 }, 'retryTimesWhenSendFailed'],
      ['PushConsumer', { attempts: 3 }, 'maxReconsumeTimes'],
      ['PushConsumer', { consumerGroup: 'g' }, 'group'],
      ['PushConsumer', { prefetch: 10 }, 'pullThresholdForQueue'],
    ] as const)
      refused(() => makers[name](given), new RegExp(`has no option .*; did you mean ${here}\\?$`))
    refused(() => new Producer({ ...base, constructor: 1 } as never), /has no option constructor$/)
  })

  test('a handler beside the topic, and several topics at once', async () => {
    const consumer = new PushConsumer(base)
    for (const [args, why] of [
      [['T', '*', () => {}], /subscribe takes no handler: give it to onMessage/],
      [['T', () => {}], /an expression is a text: function was given, and handlers are for onMessage/],
      [[['T', 'U']], /a topic is a text: a list was given: name one after the other/],
      [[{ topic: 'T' }], /a topic is a text: object was given/],
      [['T', '*', { fromBeginning: true }], /subscribe has no option fromBeginning/],
      [[undefined], /a topic needs a name/],
      [[' '], /a topic needs a name/],
    ] as const) {
      for (const one of [consumer, new PushConsumer({ ...base, namespace: 'ns' }), new LitePullConsumer(base)])
        refused(() => one.subscribe(...(args as unknown as [string])), why)
      const simple = new SimpleConsumer(base)
      await assert.rejects(simple.subscribe(...(args as unknown as [string])), { code: 'ARGUMENT', message: why })
    }
  })

  test('events that there are not, and listeners that are none', () => {
    const consumer = new PushConsumer(base)
    refused(() => consumer.on('error' as never, () => {}), /^there is no event error$/)
    refused(() => consumer.on('deadLeter' as never, () => {}), /no event deadLeter; did you mean deadLetter\?/)
    refused(() => consumer.on('constructor' as never, () => {}), /no event constructor/)
    refused(() => consumer.on('deadLetter', undefined as never), /a listener is a function: undefined/)
  })
})

describe('codecs', () => {
  test('that are none are refused before anything is sent, and a schema by how it is given', () => {
    const schema = { '~standard': { version: 1, vendor: 'x', validate: (value: unknown) => ({ value }) } }
    // zod's schemas have both.
    const both = { ...schema, encode: () => {}, decode: () => {} }
    for (const name of ['Producer', 'PushConsumer', 'LitePullConsumer', 'PullConsumer', 'SimpleConsumer']) {
      for (const codec of [schema, both, Object.assign(() => {}, schema)])
        refused(
          () => clients[name]!({ codec }),
          /codec must have encode and decode.*give a schema as jsonCodec\(schema\)/,
        )
      for (const codec of [{}, null, 'json', { encode: () => {} }])
        refused(() => clients[name]!({ codec }), /codec must have encode and decode.*jsonCodec\(\) makes one/)
      clients[name]!({ codec: jsonCodec() })
    }
    for (const wrong of [{ parse: () => {} }, null, 'Order'])
      refused(() => jsonCodec(wrong as never), /jsonCodec takes a Standard Schema/)
    jsonCodec(Object.assign(() => {}, schema) as never)
  })
})

describe('errors that say what to do', () => {
  test('a poll of a consumer that has no queues', async () => {
    await assert.rejects(new LitePullConsumer(base).poll(), {
      code: 'STATE',
      message: /has no queues: subscribe\(topic\) or assign\(queues\) first/,
    })
  })

  test('a broker’s address as name server', async () => {
    const at = await world(1, {
      routes: [route(getRouteInfoByTopic, () => refuse(3, 'request code 105 is not supported'))],
    })
    const { runtime } = at
    const producer = new Producer({ runtime, namesrvAddr: at.brokers[0]!.address, group: 'g', logger: false })
    await assert.rejects(at.settle(producer.send({ topic: 'T', body: 'x' })), {
      code: 'NAME_SERVER',
      retriable: false,
      message: /:10911 is no name server .*a broker's address, perhaps; namesrvAddr is mostly port 9876/,
    })
    await at.settle(producer.close())
    await at.stop()
  })

  test('a second handler', () => {
    const consumer = new PushConsumer(base).onMessage(() => {})
    assert.throws(() => consumer.onMessage(() => {}), { code: 'STATE', message: /has a handler already/ })
    assert.throws(() => consumer.onMessages(() => {}), { code: 'STATE' })
  })

  test('times are whole numbers', async () => {
    const at = await world(1)
    at.brokers[0]!.onSend = () => 'silence'
    const { runtime, namesrvAddr } = at
    const producer = new Producer({ runtime, namesrvAddr, group: 'g', logger: false })
    await at.settle(producer.start())
    await at.clock.advanceAsync(0.123456789)
    await assert.rejects(at.settle(producer.send({ topic: 'T', body: 'x' }, { timeoutMs: 700.5 })), error => {
      for (let one = error as Error | undefined; one !== undefined; one = one.cause as Error | undefined)
        assert.doesNotMatch(one.message, /\d\.\d{4}/)
      return true
    })
    await at.settle(producer.close())
    await at.stop()
  })
})
