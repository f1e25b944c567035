import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Admin, Producer } from '@skua-mq/client'
import { getConsumerListByGroup, getConsumerRunningInfo } from '@skua-mq/protocol'
import { RemotingClient } from '@skua-mq/remoting'
import { nodeRuntime } from '@skua-mq/runtime'
import type { Standalone } from 'skua'
import { brokerOf } from '../../bench/src/load.ts'
import type { Driver, DriverOptions } from '../src/driver.ts'
import { goClient } from '../src/go-client.ts'
import { javaClient } from '../src/java-client.ts'
import { sdkClient } from '../src/sdk-client.ts'
import { startSkua } from '../src/start-skua.ts'
import { skipWithout } from '../src/toolchain.ts'
import { until } from '../src/until.ts'

/** `npm run test:long` gives more. */
const churnMs = Number(process.env['SKUA_MIXED_MS'] ?? 10_000)
const queueNum = 12
/** Members are told of each other at once; a lost notice is made good by the rebalance of every 20 s. */
const steadyMs = 45_000
const quietMessages = 60

type Kind = 'java 4.9.8' | 'java 5.3.3' | 'go' | 'typescript'
const open: Readonly<Record<Kind, (options: DriverOptions) => Promise<Driver>>> = {
  'java 4.9.8': options => javaClient('4.9.8', options),
  'java 5.3.3': options => javaClient('5.3.3', options),
  go: goClient,
  typescript: sdkClient,
}

interface Member {
  readonly kind: Kind
  readonly driver: Driver
  readonly name: string
}

describe('a group of Java, Go and TypeScript members', { skip: skipWithout('java') || skipWithout('go') }, () => {
  const topic = `Mixed_${process.pid}`
  const group = `mixed_${process.pid}`
  const members = new Set<Member>()
  /** Who took each message, by its body; more than one where it came more than once. */
  const seen = new Map<string, string[]>()
  const sent = new Set<string>()
  const tool = new RemotingClient(nodeRuntime())
  let skua: Standalone | undefined
  let namesrv = process.env['SKUA_NAMESRV'] ?? ''
  let broker = ''
  let producer: Producer
  let last = 0
  let lastMessage = 0

  before(async () => {
    if (namesrv === '') skua = await startSkua({ port: 0, store: 'memory' })
    namesrv = skua?.namesrvAddr ?? namesrv
    const { host, port } = await brokerOf(namesrv, 'TBW102')
    broker = `${host}:${port}`
    await using admin = new Admin({ namesrvAddr: namesrv })
    await admin.createTopic(topic, { queueNum })
    await until(async () => (await admin.topicRoute(topic).catch(() => undefined)) !== undefined, 'the route')
    producer = new Producer({ namesrvAddr: namesrv, group: `mixed_producer_${process.pid}` })
    await producer.start()
  })
  after(async () => {
    await producer?.close()
    for (const { driver } of members) await driver.kill()
    await tool.close()
    await skua?.stop()
  })

  const join = async (kind: Kind): Promise<Member> => {
    const name = `member${++last}`
    const taker = `${kind} ${name}`
    const took = (body: string) => seen.set(body, [...(seen.get(body) ?? []), taker])
    const driver = await open[kind]({ took })
    const member = { kind, driver, name }
    members.add(member)
    await driver.call('push', { namesrv, topic, group, name, report: true })
    return member
  }
  const leave = async (member: Member) => {
    await member.driver.call('stopConsumer', { name: member.name })
    await crash(member)
  }
  const crash = async (member: Member) => {
    members.delete(member)
    await member.driver.kill()
  }
  const send = async () => {
    const body = `m${++lastMessage}`
    await producer.send({ topic, body })
    sent.add(body)
    return body
  }

  /** The queues of each member, as it says itself when the broker asks it. */
  async function owned(): Promise<string[][]> {
    const list = await tool.request(broker, getConsumerListByGroup, { consumerGroup: group })
    if (list.code !== 0 || list.body === undefined) return []
    const { consumerIdList } = getConsumerListByGroup.replyBody!.decode(list.body)
    const queuesOf = async (clientId: string) => {
      const asked = { consumerGroup: group, clientId, jstackEnable: false }
      const reply = await tool.request(broker, getConsumerRunningInfo, asked)
      assert.equal(reply.code, 0, `${clientId}: ${reply.remark}`)
      const { mqTable } = getConsumerRunningInfo.replyBody!.decode(reply.body!)
      return [...mqTable.keys()].filter(queue => queue.topic === topic).map(queue => `${queue.queueId}`)
    }
    return Promise.all(consumerIdList.map(queuesOf))
  }

  /** Each member owns its fair share, no queue has two owners, none has no owner. */
  async function steady(): Promise<void> {
    let shares: string[][] = []
    const fair = async () => {
      shares = await owned().catch(() => [])
      const all = shares.flat()
      const sizes = shares.map(share => share.length)
      const even = Math.max(...sizes) - Math.min(...sizes) <= 1
      return shares.length === members.size && even && all.length === queueNum && new Set(all).size === queueNum
    }
    await until(fair, `${members.size} members share ${queueNum} queues`, steadyMs).catch(error => {
      const kinds = [...members].map(({ kind }) => kind).join(', ')
      throw new Error(`${error.message}; ${kinds}; shares ${JSON.stringify(shares)}`)
    })
  }

  /** While nobody comes or goes each message comes once. */
  async function quiet(): Promise<void> {
    const bodies: string[] = []
    for (let i = 0; i < quietMessages; i++) bodies.push(await send())
    await until(async () => bodies.every(body => seen.has(body)), 'what was sent to the steady group comes')
    const repeated = bodies.filter(body => seen.get(body)?.length !== 1)
    assert.deepEqual(
      repeated.map(body => [body, ...(seen.get(body) ?? [])]),
      [],
    )
  }

  test('shares the queues without overlap or gap while members join, leave and crash; nothing is lost', async () => {
    const changes: readonly (() => Promise<unknown>)[] = [
      () => join('typescript'),
      () => join('java 4.9.8'),
      () => join('go'),
      () => crash(memberOf('typescript')),
      () => join('java 5.3.3'),
      () => leave(memberOf('go')),
      () => join('typescript'),
      () => crash(memberOf('java 4.9.8')),
      () => join('go'),
      () => leave(memberOf('typescript')),
      () => join('java 4.9.8'),
      () => crash(memberOf('go')),
      () => leave(memberOf('java 5.3.3')),
      () => join('go'),
    ]
    const memberOf = (kind: Kind): Member => {
      const found = [...members].find(member => member.kind === kind)
      assert.ok(found, `a member in ${kind}`)
      return found
    }
    const end = Date.now() + churnMs
    let busy = true
    const sending = (async () => {
      while (busy) {
        await send()
        await new Promise(resolve => setTimeout(resolve, 2))
      }
    })()
    try {
      // Each round ends as it began: a Java and a Go member are there, and the next TypeScript member comes.
      for (let round = 0; round === 0 || Date.now() < end; round++) {
        for (const change of changes) {
          await change()
          await steady()
          await quiet()
        }
        for (const member of [...members].filter(({ kind }) => kind !== 'typescript')) await leave(member)
      }
    } finally {
      busy = false
      await sending
    }
    await join('typescript')
    const lost = () => [...sent].filter(body => !seen.has(body))
    await until(async () => lost().length === 0, 'every message comes').catch(() => assert.deepEqual(lost(), []))
    const repeated = [...seen.values()].filter(takers => takers.length > 1).length
    console.log(`# ${sent.size} messages, ${repeated} of them more than once (crashes and handovers)`)
    assert.ok(repeated < sent.size / 2)
  })
})
