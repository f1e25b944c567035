import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Event, EventHub, NetError, noEvents, simRuntime } from '@skua-mq/runtime'
import { abortable } from '../src/abortable.ts'
import { brokerRefusal, ClientError, isRetriableResponse, networkError, reasonOf } from '../src/error.ts'
import { ClientEvents } from '../src/events.ts'
import { Lifecycle } from '../src/lifecycle.ts'
import { checkGroup, checkSendTopic, checkTopic } from '../src/name/names.ts'
import { addressList, bounded, clientSettings, groupOnWire } from '../src/options.ts'
import { compareQueues, QueueMap, queueKey, queueText, sameQueue } from '../src/queue.ts'
import { tlsClientOf } from '../src/tls.ts'

const queue = (topic: string, brokerName: string, queueId: number) => ({ topic, brokerName, queueId })

describe('a life', () => {
  /** Steps that wait until the test lets them go on. */
  function steps() {
    const log: string[] = []
    let goOn: (error?: Error) => void = () => {}
    const life = new Lifecycle('thing', {
      start: () => {
        log.push('start')
        return new Promise<void>((resolve, reject) => {
          goOn = error => (error === undefined ? resolve() : reject(error))
        })
      },
      stop: async () => void log.push('stop'),
    })
    return { log, life, goOn: (error?: Error) => goOn(error) }
  }

  test('starts once, whoever asks for it, and runs when the start is over', async () => {
    const { log, life, goOn } = steps()
    const asked = [life.start(), life.start()]
    assert.deepEqual([log, life.running], [['start'], false])
    goOn()
    await Promise.all(asked)
    assert.deepEqual([log, life.running, life.closed], [['start'], true, false])
    await life.start()
    assert.deepEqual(log, ['start'])
  })

  test('may be tried again after a start that failed', async () => {
    const { log, life, goOn } = steps()
    const first = life.start()
    goOn(new Error('no server'))
    await assert.rejects(first, /no server/)
    assert.equal(life.running, false)
    const second = life.start()
    goOn()
    await second
    assert.deepEqual([log, life.running], [['start', 'start'], true])
  })

  test('that closes while it starts waits for the start, and stops once', async () => {
    const { log, life, goOn } = steps()
    const start = life.start()
    const closes = [life.close(), life.close()]
    assert.deepEqual(log, ['start'])
    goOn()
    await start
    await Promise.all(closes)
    assert.deepEqual([log, life.running, life.closed], [['start', 'stop'], false, true])
  })

  test('that closes while a start fails has nothing to stop', async () => {
    const { log, life, goOn } = steps()
    const start = life.start()
    const close = life.close()
    goOn(new Error('no server'))
    await assert.rejects(start)
    await close
    assert.deepEqual(log, ['start'])
  })

  test('that never began ends without a stop, and cannot begin any more', async () => {
    const { log, life } = steps()
    await life.close()
    assert.deepEqual(log, [])
    await assert.rejects(life.start(), { code: 'STATE', message: /this thing is closed/ })
  })
})

describe('events', () => {
  test('reach their listeners and the sink, each with its level', () => {
    const hub = new EventHub()
    const told: Event[] = []
    hub.subscribe(event => told.push(event))
    const events = new ClientEvents(hub)
    const heard: unknown[] = []
    const off = events.on('messageDropped', fields => heard.push(fields))
    events.on('offsetsReset', fields => heard.push(fields))
    events.emit('messageDropped', { group: 'g', msgId: '1', why: 'w' })
    off()
    events.emit('messageDropped', { group: 'g', msgId: '2', why: 'w' })
    events.emit('offsetsReset', { group: 'g', topic: 't', queues: 1 })
    assert.deepEqual(heard, [
      { group: 'g', msgId: '1', why: 'w' },
      { group: 'g', topic: 't', queues: 1 },
    ])
    assert.deepEqual(
      told.map(({ name, level }) => [name, level]),
      [
        ['messageDropped', 'warn'],
        ['messageDropped', 'warn'],
        ['offsetsReset', 'info'],
      ],
    )
  })

  test('go on to the others when a listener throws, which is an event itself', () => {
    const hub = new EventHub()
    const told: Event[] = []
    hub.subscribe(event => told.push(event))
    const events = new ClientEvents(hub)
    let heard = 0
    events.on('offsetsReset', () => {
      throw new Error('broken')
    })
    events.on('offsetsReset', () => heard++)
    events.emit('offsetsReset', { group: 'g', topic: 't', queues: 1 })
    assert.equal(heard, 1)
    const failure = told.find(({ name }) => name === 'listener failed')
    assert.deepEqual([failure?.level, failure?.fields['event']], ['error', 'offsetsReset'])
  })

  test('cost nothing where nobody listens', () => {
    new ClientEvents(noEvents).emit('offsetsReset', { group: 'g', topic: 't', queues: 1 })
  })
})

describe('errors', () => {
  test('of the network become ours, with their cause and whether another try may help; others pass', () => {
    const timeout = networkError('asking', new NetError('ETIMEOUT', 'no reply within 3 ms')) as ClientError
    assert.deepEqual(
      [timeout.code, timeout.retriable, timeout.message],
      ['TIMEOUT', true, 'asking failed: no reply within 3 ms'],
    )
    const tls = networkError('asking', new NetError('ETLS', 'certificate unknown')) as ClientError
    assert.deepEqual([tls.code, tls.retriable], ['NETWORK', false])
    const other = new RangeError('x')
    assert.equal(networkError('asking', other), other)
  })

  test('of a refusal say what was refused, by which code, and why', () => {
    const busy = brokerRefusal('sending to T', { code: 2, remark: '[OVERLOAD]' })
    assert.deepEqual(
      [busy.code, busy.responseCode, busy.retriable, busy.message],
      ['BROKER', 2, true, 'sending to T was refused with code 2: [OVERLOAD]'],
    )
    for (const remark of [undefined, '']) {
      assert.match(brokerRefusal('x', { code: 13, remark }).message, /code 13: without a reason$/)
    }
    assert.equal(brokerRefusal('x', { code: 13, remark: 'too long' }).retriable, false)
  })

  test('after which another broker may help are those of the page', () => {
    const retriable = Array.from({ length: 2000 }, (_, code) => code).filter(isRetriableResponse)
    assert.deepEqual(retriable, [1, 2, 14, 16, 17, 204, 205, 1500])
  })

  test('have a text whatever was thrown', () => {
    assert.deepEqual([reasonOf(new Error('e')), reasonOf('text'), reasonOf(undefined)], ['e', 'text', 'undefined'])
  })

  test('are told apart by their class and name', () => {
    const error = new ClientError('LIMIT', 'full', { cause: 1 })
    assert.ok(error instanceof Error)
    assert.deepEqual(
      [error.name, error.cause, error.retriable, error.responseCode],
      ['ClientError', 1, false, undefined],
    )
    assert.equal('cause' in new ClientError('LIMIT', 'full'), false)
  })
})

describe('a promise that somebody may give up', () => {
  test('is the promise itself without a signal, and settles as it does', async () => {
    const promise = Promise.resolve(1)
    assert.equal(abortable(promise, undefined), promise)
    const { signal } = new AbortController()
    assert.equal(await abortable(promise, signal), 1)
    await assert.rejects(abortable(Promise.reject(new Error('no')), signal), /no/)
  })

  test('rejects with the reason, also of a signal that was aborted before', async () => {
    const abort = new AbortController()
    const waiting = abortable(new Promise(() => {}), abort.signal)
    abort.abort(new Error('enough'))
    await assert.rejects(waiting, /enough/)
    await assert.rejects(abortable(new Promise(() => {}), abort.signal), /enough/)
  })
})

describe('queues', () => {
  test('are the same by value', () => {
    assert.equal(sameQueue(queue('t', 'b', 1), { ...queue('t', 'b', 1) }), true)
    for (const other of [queue('u', 'b', 1), queue('t', 'c', 1), queue('t', 'b', 2)])
      assert.equal(sameQueue(queue('t', 'b', 1), other), false)
    assert.notEqual(queueKey(queue('t', 'b', 11)), queueKey(queue('t', 'b1', 1)))
  })

  test('are ordered as Java orders them: topic, broker, id as a number', () => {
    const sorted = [queue('a', 'b', 2), queue('a', 'b', 10), queue('a', 'c', 0), queue('b', 'a', 0)]
    assert.deepEqual([...sorted].reverse().sort(compareQueues), sorted)
    // By UTF-16 units, not by the language of this machine.
    assert.ok(compareQueues(queue('Z', 'b', 0), queue('a', 'b', 0)) < 0)
  })

  test('have the text that Java hashes', () => {
    assert.equal(queueText(queue('t', 'b', 3)), 'MessageQueue [topic=t, brokerName=b, queueId=3]')
  })

  test('are keys of a map by value, in the order in which they came', () => {
    const map = new QueueMap<string>()
    map.set(queue('t', 'b', 1), 'one')
    map.set(queue('t', 'b', 2), 'two')
    map.set(queue('t', 'b', 1), 'again')
    assert.deepEqual([map.size, map.get(queue('t', 'b', 1)), map.has(queue('t', 'b', 3))], [2, 'again', false])
    assert.deepEqual([...map.queues()], [queue('t', 'b', 1), queue('t', 'b', 2)])
    assert.deepEqual([...map.values()], ['again', 'two'])
    assert.deepEqual(
      [...map],
      [
        [queue('t', 'b', 1), 'again'],
        [queue('t', 'b', 2), 'two'],
      ],
    )
    assert.deepEqual([map.delete(queue('t', 'b', 1)), map.delete(queue('t', 'b', 1)), map.size], [true, false, 1])
    map.clear()
    assert.equal(map.size, 0)
  })
})

describe('options', () => {
  test('name servers come as text with any separator, as a list, or from NAMESRV_ADDR', () => {
    assert.deepEqual(addressList('a:1;b:2, c:3  d:4'), ['a:1', 'b:2', 'c:3', 'd:4'])
    assert.deepEqual(addressList(['http://a:1', ' https://b:2 ', '']), ['a:1', 'b:2'])
    assert.deepEqual(addressList(undefined), [])
    const before = process.env['NAMESRV_ADDR']
    try {
      process.env['NAMESRV_ADDR'] = 'env:9876'
      const runtime = simRuntime({ seed: 1 })
      assert.deepEqual(clientSettings({ runtime }).namesrvAddrs, ['env:9876'])
      assert.deepEqual(clientSettings({ runtime, namesrvAddr: 'given:1' }).namesrvAddrs, ['given:1'])
    } finally {
      if (before === undefined) delete process.env['NAMESRV_ADDR']
      else process.env['NAMESRV_ADDR'] = before
    }
  })

  test('a cloud address brings its namespace, unless one is given', () => {
    const runtime = simRuntime({ seed: 1 })
    const namesrvAddr = 'http://MQ_INST_1_a.mq.example:80'
    assert.equal(clientSettings({ runtime, namesrvAddr }).namespace, 'MQ_INST_1_a')
    assert.equal(clientSettings({ runtime, namesrvAddr, namespace: '' }).namespace, '')
    assert.equal(clientSettings({ runtime, namesrvAddr: 'a:1' }).namespace, '')
  })

  test('defaults are those of Java, but for the time to connect', () => {
    const settings = clientSettings({ runtime: simRuntime({ seed: 1 }), namesrvAddr: 'a:1' })
    assert.deepEqual(
      [
        settings.pollNameServerInterval,
        settings.heartbeatBrokerInterval,
        settings.callTimeoutMs,
        settings.connectTimeoutMs,
      ],
      [30_000, 30_000, 3_000, 1_000],
    )
    assert.equal(settings.tls, undefined)
  })

  test('numbers are refused outside of their bounds, and what is no number at all', () => {
    assert.equal(bounded('n', 1, { min: 1, max: 2 }), 1)
    assert.equal(bounded('n', 2, { min: 1, max: 2 }), 2)
    for (const value of [0, 3, Number.NaN, Number.POSITIVE_INFINITY, undefined as never])
      assert.throws(() => bounded('n', value, { min: 1, max: 2 }), {
        code: 'ARGUMENT',
        message: /n must be from 1 to 2/,
      })
  })

  test('a group is checked as it was given and as it goes out', () => {
    const runtime = simRuntime({ seed: 1 })
    const settings = clientSettings({ runtime, namesrvAddr: 'a:1', namespace: 'ns' })
    assert.equal(groupOnWire(settings, 'g', 'DEFAULT'), 'ns%g')
    assert.throws(() => groupOnWire(settings, 'DEFAULT', 'DEFAULT'), { code: 'ARGUMENT', message: /reserved/ })
    assert.throws(() => groupOnWire(settings, 'g'.repeat(254), 'DEFAULT'), { code: 'ARGUMENT', message: /255/ })
  })
})

describe('names', () => {
  test('of topics have up to 127 characters, of retry and dead letter topics up to 255', () => {
    checkTopic('t'.repeat(127))
    assert.throws(() => checkTopic('t'.repeat(128)), /127 are allowed/)
    checkTopic(`%RETRY%${'g'.repeat(248)}`)
    assert.throws(() => checkTopic(`%RETRY%${'g'.repeat(249)}`), /255 are allowed/)
  })

  test('that are blank, of another type, or hold other characters are refused', () => {
    for (const name of ['', ' ', undefined as never, null as never])
      assert.throws(() => checkTopic(name), /needs a name/)
    assert.throws(() => checkTopic(5 as never), /a topic is a text: number was given/)
    for (const name of ['a b', 'ä', 'a.b', 'a/b', 'a\n']) assert.throws(() => checkTopic(name), /is no topic name/)
    assert.throws(() => checkGroup('a b', 'X'), /is no group name/)
  })

  test('of topics that only brokers write are refused for sending', () => {
    checkTopic('SCHEDULE_TOPIC_XXXX')
    assert.throws(() => checkSendTopic('SCHEDULE_TOPIC_XXXX'), /only brokers write/)
  })
})

describe('tls', () => {
  test('is off, takes any certificate, or checks what it is told to', () => {
    assert.equal(tlsClientOf(undefined), undefined)
    assert.equal(tlsClientOf(false), undefined)
    assert.deepEqual(tlsClientOf(true), { trust: 'any' })
    assert.equal(tlsClientOf({})?.trust, 'name')
    assert.equal(tlsClientOf({ verifyHost: false })?.trust, 'chain')
    assert.equal(tlsClientOf({ rejectUnauthorized: false })?.trust, 'any')
    assert.deepEqual(tlsClientOf({ ca: 'CA', servername: 's' }), {
      trust: 'name',
      ca: 'CA',
      identity: undefined,
      servername: 's',
    })
  })

  test('needs certificate and key together', () => {
    assert.throws(() => tlsClientOf({ cert: 'C' }), /tls.cert is given without tls.key/)
    assert.throws(() => tlsClientOf({ key: 'K' }), /tls.key is given without tls.cert/)
    assert.deepEqual(tlsClientOf({ cert: 'C', key: 'K', passphrase: 'p' })?.identity, {
      cert: 'C',
      key: 'K',
      passphrase: 'p',
    })
  })
})
