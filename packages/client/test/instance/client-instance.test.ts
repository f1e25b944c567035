import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { notifyConsumerIdsChanged, ResponseCode } from '@skua-mq/protocol'
import { simRuntime } from '@skua-mq/runtime'
import {
  acquireInstance,
  type ClientInstance,
  clientIdOf,
  releaseInstance,
} from '../../src/instance/client-instance.ts'
import type { ConsumerMember, ProducerMember } from '../../src/instance/members.ts'
import { type ClientOptions, clientSettings } from '../../src/options.ts'
import { routeOf, type World, world } from '../scripted-cluster.ts'

function producerMember(group: string, topics: string[] = ['T']) {
  const events: string[] = []
  const member: ProducerMember = {
    group,
    emit: name => void events.push(name),
    topics: () => topics,
    checkTransaction: () => {},
  }
  return { member, events }
}

function consumerMember(group: string, topics: string[] = ['T']) {
  const told = { changed: 0 }
  const events: [string, unknown][] = []
  const member = {
    group,
    emit: (name: string, fields: unknown) => void events.push([name, fields]),
    topics: () => topics,
    consumerData: () => ({
      groupName: group,
      consumeType: 'CONSUME_PASSIVELY',
      messageModel: 'CLUSTERING',
      consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
      subscriptionDataSet: [],
      unitMode: false,
    }),
    membersChanged: () => void told.changed++,
    resetOffsets: () => {},
    offsetsOf: () => new Map(),
    runningInfo: () => ({}),
    consumeDirectly: () => undefined,
  } as unknown as ConsumerMember
  return { member, told, events }
}

const settingsOf = ({ runtime, namesrvAddr }: World, options: ClientOptions = {}) =>
  clientSettings({ runtime, namesrvAddr, ...options })

async function started(at: World, options: ClientOptions = {}): Promise<ClientInstance> {
  const settings = settingsOf(at, options)
  const instance = acquireInstance(clientIdOf(settings), settings)
  await at.settle(instance.start())
  return instance
}

describe('a client id', () => {
  const settings = (options: ClientOptions) =>
    clientSettings({ runtime: simRuntime({ seed: 1 }), namesrvAddr: 'a:1', ...options })

  test('is address, instance, and unit', () => {
    assert.equal(clientIdOf(settings({ clientIP: '1.2.3.4', instanceName: 'i' })), '1.2.3.4@i')
    assert.equal(clientIdOf(settings({ clientIP: '1.2.3.4', instanceName: 'i', unitName: 'u' })), '1.2.3.4@i@u')
    assert.equal(clientIdOf(settings({ clientIP: '1.2.3.4' }), 'DEFAULT'), '1.2.3.4@DEFAULT')
  })

  test('without a name is nobody else’s', () => {
    const one = settings({})
    assert.notEqual(clientIdOf(one), clientIdOf(one))
  })
})

describe('an instance', () => {
  test('is shared by those with one id, and ends with the last of them', async () => {
    const at = await world(1)
    const settings = settingsOf(at, { instanceName: 'shared' })
    const id = clientIdOf(settings)
    const first = acquireInstance(id, settings)
    const second = acquireInstance(id, settings)
    assert.equal(first, second)
    await at.settle(Promise.all([first.start(), second.start()]))
    first.addProducer(producerMember('pg').member)
    await at.settle(first.refreshRoutes())
    await at.settle(first.heartbeats.beat())
    await at.settle(releaseInstance(first))
    assert.equal(at.brokers[0]!.connection?.open, true)
    await at.settle(releaseInstance(second))
    await at.clock.advanceAsync(100)
    assert.equal(at.brokers[0]!.connection?.open, false)
    await assert.rejects(releaseInstance(second), { code: 'STATE' })
    assert.notEqual(acquireInstance(id, settings), first)
    await at.stop()
  })

  test('is not shared by those who want another security', async () => {
    const at = await world(1)
    const plain = settingsOf(at, { instanceName: 'i' })
    const id = clientIdOf(plain)
    const instance = acquireInstance(id, plain)
    const other = settingsOf(at, { instanceName: 'i', tls: true })
    assert.throws(() => acquireInstance(id, other), { code: 'ARGUMENT', message: /instanceName/ })
    await releaseInstance(instance)
    await at.stop()
  })

  test('of other machines of one process is another one, though the id is the same', () => {
    const [a, b] = [simRuntime({ seed: 1 }), simRuntime({ seed: 2 })]
    const of = (runtime: typeof a) => {
      const settings = clientSettings({ runtime, namesrvAddr: 'x:1', instanceName: 'i', clientIP: '1.1.1.1' })
      return acquireInstance(clientIdOf(settings), settings)
    }
    assert.notEqual(of(a), of(b))
  })

  test('has each group once', async () => {
    const at = await world(1)
    const instance = await started(at)
    instance.addProducer(producerMember('g').member)
    // A producer and a consumer may have one name.
    instance.addConsumer(consumerMember('g').member)
    assert.throws(() => instance.addProducer(producerMember('g').member), { code: 'STATE', message: /used twice/ })
    assert.throws(() => instance.addConsumer(consumerMember('g').member), { code: 'STATE', message: /used twice/ })
    await at.settle(releaseInstance(instance))
    await at.stop()
  })

  test('asks for the routes of all topics of its members every 30 s, and tells brokers that it is there', async () => {
    const at = await world(1)
    const instance = await started(at)
    instance.addConsumer(consumerMember('g', ['T', 'U']).member)
    await at.clock.advanceAsync(29_000)
    assert.equal(instance.routes.known('T'), undefined)
    at.topics.set('U', routeOf(at.brokers))
    await at.clock.advanceAsync(2000)
    assert.notEqual(instance.routes.known('T'), undefined)
    assert.notEqual(instance.routes.known('U'), undefined)
    await at.clock.advanceAsync(30_000)
    assert.ok(at.brokers[0]!.heartbeats.length >= 1)
    await at.settle(releaseInstance(instance))
    const { length } = at.brokers[0]!.heartbeats
    await at.clock.advanceAsync(61_000)
    assert.equal(at.brokers[0]!.heartbeats.length, length)
    await at.stop()
  })

  test('goes on with the known routes when no name server answers, and says so', async () => {
    const at = await world(1)
    const instance = await started(at)
    const { member, events } = consumerMember('g')
    instance.addConsumer(member)
    await at.settle(instance.refreshRoutes())
    at.network.drop('ns0', { announce: true })
    await at.settle(instance.refreshRoutes())
    assert.deepEqual(
      events.map(([name]) => name),
      ['routeRefreshFailed'],
    )
    assert.notEqual(instance.routes.known('T'), undefined)
    await at.settle(releaseInstance(instance))
  })

  test('drops connections to brokers that no route names any more', async () => {
    const at = await world(2)
    const instance = await started(at)
    instance.addConsumer(consumerMember('g').member)
    await at.settle(instance.refreshRoutes())
    await at.settle(instance.heartbeats.beat())
    assert.deepEqual(
      at.brokers.map(({ connection }) => connection?.open),
      [true, true],
    )
    at.topics.set('T', routeOf(at.brokers.slice(0, 1)))
    await at.settle(instance.refreshRoutes())
    await at.clock.advanceAsync(100)
    assert.deepEqual(
      at.brokers.map(({ connection }) => connection?.open),
      [true, false],
    )
    await at.settle(releaseInstance(instance))
    await at.stop()
  })

  test('says good-bye to all brokers for a group that leaves, once', async () => {
    const at = await world(2)
    const instance = await started(at)
    instance.addConsumer(consumerMember('cg').member)
    instance.addProducer(producerMember('pg').member)
    await at.settle(instance.refreshRoutes())
    await at.settle(instance.removeConsumer('cg'))
    await at.settle(instance.removeConsumer('cg'))
    await at.settle(instance.removeProducer('pg'))
    await at.settle(instance.removeProducer('nobody'))
    for (const { unregistered } of at.brokers) assert.deepEqual(unregistered, ['cg', 'pg'])
    await at.settle(releaseInstance(instance))
    await at.stop()
  })

  test('leaves within a second or so where a broker does not answer the good-bye', async () => {
    const at = await world(1)
    const instance = await started(at)
    instance.addConsumer(consumerMember('cg').member)
    await at.settle(instance.refreshRoutes())
    await at.settle(instance.heartbeats.beat())
    at.network.partition('client', 'b0')
    const begun = at.clock.monotonic()
    await at.settle(instance.removeConsumer('cg'))
    assert.ok(at.clock.monotonic() - begun <= 1500)
    await at.settle(releaseInstance(instance))
  })

  test('adds to each request what belongs there: the namespace of 5.x, and last the signature', async () => {
    const at = await world(1)
    const instance = await started(at, {
      namespaceV2: 'ns',
      credentials: { accessKey: 'ak', secretKey: 'sk', securityToken: 'st' },
    })
    instance.addProducer(producerMember('pg').member)
    await at.settle(instance.refreshRoutes())
    const seen: Record<string, string> = {}
    const remoting = instance.remoting as unknown as {
      options: { sign: (c: { extFields: Record<string, string> }) => void }
    }
    remoting.options.sign({ extFields: seen })
    assert.deepEqual(Object.keys(seen), ['nsd', 'ns', 'AccessKey', 'SecurityToken', 'Signature'])
    assert.deepEqual([seen['ns'], seen['AccessKey'], seen['SecurityToken']], ['ns', 'ak', 'st'])
    await at.settle(releaseInstance(instance))
    await at.stop()
  })
})

describe('heartbeats', () => {
  test('go to masters always, to slaves where there is a consumer', async () => {
    const at = await world(2)
    const { brokerDatas, ...rest } = routeOf(at.brokers)
    // The second broker is a slave of the first.
    const [master] = brokerDatas
    const brokerAddrs = new Map([
      [0, at.brokers[0]!.address],
      [1, at.brokers[1]!.address],
    ])
    at.topics.set('T', { ...rest, queueDatas: rest.queueDatas.slice(0, 1), brokerDatas: [{ ...master!, brokerAddrs }] })
    const instance = await started(at)
    instance.addProducer(producerMember('pg').member)
    await at.settle(instance.refreshRoutes())
    await at.settle(instance.heartbeats.beat())
    assert.deepEqual(
      at.brokers.map(({ heartbeats }) => heartbeats.length),
      [1, 0],
    )
    instance.addConsumer(consumerMember('cg').member)
    await at.settle(instance.heartbeats.beat())
    assert.deepEqual(
      at.brokers.map(({ heartbeats }) => heartbeats.length),
      [2, 1],
    )
    const [beat] = at.brokers[1]!.heartbeats
    assert.deepEqual(
      [
        beat?.clientID,
        beat?.producerDataSet.map(({ groupName }) => groupName),
        beat?.consumerDataSet.map(({ groupName }) => groupName),
      ],
      [instance.clientId, ['pg'], ['cg']],
    )
    await at.settle(releaseInstance(instance))
    await at.stop()
  })

  test('remember what the broker calls itself', async () => {
    const at = await world(1)
    const instance = await started(at)
    instance.addProducer(producerMember('pg').member)
    await at.settle(instance.refreshRoutes())
    await at.settle(instance.heartbeats.beat())
    assert.equal(instance.heartbeats.brokerVersions.get(at.brokers[0]!.address), 409)
    await at.settle(releaseInstance(instance))
    await at.stop()
  })

  test('of nobody are none', async () => {
    const at = await world(1)
    const instance = await started(at)
    await at.settle(instance.routes.find('T'))
    await at.settle(instance.heartbeats.beat())
    assert.equal(at.brokers[0]!.heartbeats.length, 0)
    await at.settle(releaseInstance(instance))
    await at.stop()
  })

  test('that are not answered are told, and their connection is made anew for the next', async () => {
    const at = await world(1)
    const instance = await started(at)
    const { member, events } = consumerMember('g')
    instance.addConsumer(member)
    await at.settle(instance.refreshRoutes())
    await at.settle(instance.heartbeats.beat())
    const before = at.brokers[0]!.connection
    at.network.partition('client', 'b0')
    await at.settle(instance.heartbeats.beat())
    assert.deepEqual(
      events.map(([name, fields]) => [name, (fields as { address: string }).address]),
      [['heartbeatFailed', at.brokers[0]!.address]],
    )
    at.network.heal('client', 'b0')
    await at.settle(instance.heartbeats.beat())
    assert.ok(at.brokers[0]!.heartbeats.length > 1)
    assert.notEqual(at.brokers[0]!.connection, before)
    // That it is back is told once.
    await at.settle(instance.heartbeats.beat())
    assert.deepEqual(events.slice(1), [['brokerBack', { address: at.brokers[0]!.address }]])
    await at.settle(releaseInstance(instance))
  })
})

describe('what brokers ask', () => {
  test('of a group that is here reaches its member; of another one it is refused', async () => {
    const at = await world(1)
    const instance = await started(at)
    const { member, told } = consumerMember('cg')
    instance.addConsumer(member)
    await at.settle(instance.refreshRoutes())
    await at.settle(instance.heartbeats.beat())
    const connection = at.brokers[0]!.connection!
    for (const consumerGroup of ['cg', 'other'])
      connection.tell({ code: notifyConsumerIdsChanged.code, extFields: { consumerGroup } })
    await at.clock.advanceAsync(50)
    assert.equal(told.changed, 1)
    for (const [code, extFields] of [
      [307, { consumerGroup: 'other', clientId: 'c' }],
      [221, { group: 'other', topic: 'T', clientAddr: 'x' }],
      [309, { consumerGroup: 'other', clientId: 'c', msgId: 'm', brokerName: 'b' }],
    ] as const) {
      const reply = await at.settle(connection.call({ code, extFields }))
      assert.equal(reply.code, ResponseCode.systemError)
      assert.match(reply.remark ?? '', code === 309 ? /no message/ : /consumer group other is not in this client/)
    }
    assert.equal(
      (
        await at.settle(
          connection.call({
            code: 326,
            extFields: {
              ...{
                producerGroup: 'p',
                topic: 'T',
                defaultTopic: 'X',
                defaultTopicQueueNums: '1',
                queueId: '0',
                sysFlag: '0',
              },
              ...{
                bornTimestamp: '1',
                flag: '0',
                reconsumeTimes: '0',
                bornHost: 'b',
                storeHost: 's',
                storeTimestamp: '1',
                properties: '',
              },
            },
          }),
        )
      ).code,
      ResponseCode.systemError,
    )
    await at.settle(releaseInstance(instance))
    await at.stop()
  })
})

describe('calls to brokers', () => {
  test('go to the master of the queue, for which the route is asked again where it is not known', async () => {
    const at = await world(1)
    const instance = await started(at)
    assert.equal(await at.settle(instance.calls.masterOf({ topic: 'T', brokerName: 'b0' })), at.brokers[0]!.address)
    await assert.rejects(at.settle(instance.calls.masterOf({ topic: 'T', brokerName: 'gone' })), {
      code: 'NO_BROKER',
      retriable: true,
      message: /broker gone of topic T has no master/,
    })
    await at.settle(releaseInstance(instance))
    await at.stop()
  })
})
