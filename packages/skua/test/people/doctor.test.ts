import assert from 'node:assert/strict'
import { type AddressInfo, connect as connectTo, createServer, type Server } from 'node:net'
import { test } from 'node:test'
import { type AdminSession, connect, putTopic } from '@skua-mq/admin'
import { Producer, PushConsumer } from '@skua-mq/client'
import { NameServer } from '@skua-mq/nameserver'
import { registerBroker } from '@skua-mq/protocol'
import { MemoryDisk, NodeClock, nodeRuntime } from '@skua-mq/runtime'
import type { Diagnosis } from '../../src/command/people/doctor/doctor.ts'
import { freePorts, startStandalone } from '../../src/index.ts'
import { people, until } from './run.ts'

/** Exit code and findings, whatever they are. */
async function examined(namesrvAddr: string, more = ''): Promise<Diagnosis & { exitCode: number }> {
  const { output, exitCode, errors } = await people(`doctor --watch 1 --timeout-ms 1000 ${more} --json`, namesrvAddr)
  assert.equal(errors, '')
  return { ...JSON.parse(output), exitCode }
}

const said = ({ findings }: Diagnosis) =>
  findings.map(({ severity, check, sentence }) => `${severity} ${check}: ${sentence}`)

/** Tells a name server of a broker, which is there as long as this session. */
async function register(session: AdminSession, brokerName: string, brokerAddr: string): Promise<void> {
  const told = { brokerName, brokerAddr, clusterName: 'DefaultCluster', brokerId: 0, haServerAddr: brokerAddr }
  await session.askNameServer({ spec: registerBroker, header: { ...told, compressed: false, bodyCrc32: 0 } })
}

const listening = (server: Server) =>
  new Promise<string>(resolve =>
    server.listen(0, '127.0.0.1', () => resolve(`127.0.0.1:${(server.address() as AddressInfo).port}`)),
  )

test('doctor: a cluster that is well has no findings, exit code 0', async () => {
  const skua = await startStandalone({ port: 0, store: 'memory' })
  try {
    const { output, exitCode } = await people('doctor --watch 1', skua.namesrvAddr)
    assert.equal(output, 'nothing is wrong\n')
    assert.equal(exitCode, 0)
  } finally {
    await skua.stop()
  }
})

test('doctor: a broker at an address that cannot be reached; one whose second port cannot; topics on one alone', async () => {
  const skua = await startStandalone({ port: 0, store: 'memory' })
  const { namesrvAddr } = skua
  const producer = new Producer({ namesrvAddr, group: 'makers' })
  const session = connect({ namesrvAddr })
  const [host, port] = skua.brokers[0]!.address.split(':')
  const proxy = createServer(socket => {
    const far = connectTo(Number(port), host)
    for (const [from, to] of [
      [socket, far],
      [far, socket],
    ] as const) {
      from.pipe(to)
      from.on('error', () => to.destroy())
    }
  })
  try {
    await producer.send({ topic: 'Orders', body: 'x' })
    const proxied = await listening(proxy)
    await register(session, 'broker-p', proxied)
    const partly = await examined(namesrvAddr)
    assert.equal(partly.exitCode, 0)
    const second = `127.0.0.1:${Number(proxied.split(':')[1]) - 2}`
    assert.match(
      said(partly).join('\n'),
      new RegExp(`^warning addresses: the second port of broker broker-p, ${second}, cannot`, 'm'),
    )
    assert.match(
      said(partly).join('\n'),
      /^warning topics: Orders is on broker-a alone of 2 brokers of DefaultCluster/m,
    )
    assert.equal(partly.findings.length, 2)
    const gone = `127.0.0.1:${(await freePorts(nodeRuntime().net, '127.0.0.1')).broker}`
    await register(session, 'broker-gone', gone)
    const broken = await examined(namesrvAddr)
    assert.equal(broken.exitCode, 1)
    assert.match(
      said(broken).join('\n'),
      new RegExp(`^error addresses: broker broker-gone tells clients ${gone}, which cannot be`, 'm'),
    )
  } finally {
    await Promise.all([session.close(), producer.close()])
    await skua.stop()
    proxy.close()
  }
})

test('doctor: groups that subscribe differently, stand still, or have more members than queues', async () => {
  const skua = await startStandalone({ port: 0, store: 'memory', config: { defaultTopicQueueNums: 1 } })
  const { namesrvAddr } = skua
  const producer = new Producer({ namesrvAddr, group: 'makers', defaultTopicQueueNums: 1 })
  const open: PushConsumer[] = []
  const member = async (group: string, tags: string, handle: () => unknown) => {
    const options = { consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET', persistConsumerOffsetInterval: 100 } as const
    const made = new PushConsumer({ namesrvAddr, group, instanceName: `${group}-${open.length}`, ...options })
    open.push(made)
    made.subscribe('Orders', tags).onMessage(async () => void (await handle()))
    await made.start()
  }
  let release = () => {}
  const held = new Promise<void>(resolve => {
    release = resolve
  })
  try {
    for (let i = 0; i < 3; i++) await producer.send({ topic: 'Orders', tag: 'A', body: `${i}` })
    await member('stuck', '*', () => held)
    await member('crowd', '*', () => {})
    await member('crowd', '*', () => {})
    await member('split', 'A', () => {})
    await member('split', 'B', () => {})
    let last: string[] = []
    await until('all is found', async () => {
      const found = await examined(namesrvAddr)
      last = said(found)
      return (
        found.exitCode === 1 &&
        ['standstill', 'members', 'subscriptions'].every(check => last.some(one => one.includes(` ${check}: `)))
      )
    })
    const all = last.join('\n')
    assert.match(
      all,
      /^error standstill: group stuck stands still in Orders \(queues broker-a\/0\): 3 messages wait and none was consumed in 1 s/m,
    )
    assert.match(all, /^warning members: 1 of the 2 members of group crowd get nothing of Orders, which has 1 queues/m)
    assert.match(
      all,
      /^error subscriptions: the members of group split subscribe differently \(\S+: Orders "[AB]"; \S+: Orders "[AB]"\)/m,
    )
    assert.doesNotMatch(all, /group crowd (stands|subscribe)/)
    release()
    await until(
      'it goes on',
      async () =>
        !said(await examined(namesrvAddr))
          .join()
          .includes('group stuck stands'),
    )
  } finally {
    release()
    await Promise.all([producer.close(), ...open.map(consumer => consumer.close())])
    await skua.stop()
  }
})

test('doctor: name servers of which one does not know the broker, and one does not answer', async () => {
  const skua = await startStandalone({ port: 0, store: 'memory' })
  const { nameServer: port } = await freePorts(nodeRuntime().net, '127.0.0.1')
  const runtime = { ...nodeRuntime(), disk: new MemoryDisk() }
  const lonely = new NameServer({
    runtime,
    listen: { host: '127.0.0.1', port },
    kvConfigPath: '/names/kvConfig.json',
    orderMessageEnable: false,
  })
  await lonely.start()
  const both = `${skua.namesrvAddr};127.0.0.1:${port}`
  try {
    const known = await examined(both)
    assert.equal(known.exitCode, 1)
    assert.match(
      said(known).join('\n'),
      new RegExp(`^error name servers: the name server 127.0.0.1:${port} does not know broker-a at `),
    )
    const alone = await examined(`127.0.0.1:${port}`)
    assert.match(said(alone).join('\n'), /^error name servers: no broker is registered/)
    await lonely.stop()
    const silent = await examined(both)
    assert.equal(silent.exitCode, 1)
    assert.match(
      said(silent).join('\n'),
      new RegExp(`^error name servers: the name server 127.0.0.1:${port} does not answer`),
    )
  } finally {
    await lonely.stop()
    await skua.stop()
  }
})

class LateClock extends NodeClock {
  override now(): number {
    return super.now() - 3_600_000
  }
}

test('doctor: a clock an hour behind; a disk that is nearly full, and full', async () => {
  const disk = new MemoryDisk({ capacityBytes: 64 * 1024 * 1024 })
  const config = { mappedFileSizeCommitLog: 1024 * 1024 }
  const skua = await startStandalone({ port: 0, store: 'memory', config, clock: new LateClock(), runtime: { disk } })
  try {
    const late = await examined(skua.namesrvAddr)
    assert.match(said(late).join('\n'), /^error clocks: the clock of broker broker-a is 3600 s behind this machine's/)
    const fill = (mebibytes: number) =>
      disk.writeFile(`/memory/filler-${mebibytes}`, Buffer.alloc(mebibytes * 1024 * 1024))
    await fill(50)
    assert.match(
      said(await examined(skua.namesrvAddr)).join('\n'),
      /^warning disk: the disk of broker broker-a is (7[5-9]|8\d) % full/m,
    )
    await fill(9)
    assert.match(
      said(await examined(skua.namesrvAddr)).join('\n'),
      /^error disk: the disk of broker broker-a is 9\d % full/m,
    )
    // All of it: the next write fails.
    const rest = disk.space('/memory').usableBytes
    disk.writeFile('/memory/rest', Buffer.alloc(rest))
    const producer = new Producer({ namesrvAddr: skua.namesrvAddr, group: 'makers', retryTimesWhenSendFailed: 0 })
    await assert.rejects(producer.send({ topic: 'T', body: Buffer.alloc(2 * 1024 * 1024) }))
    await producer.close()
    const full = await examined(skua.namesrvAddr)
    assert.match(said(full).join('\n'), /^error store: broker broker-a takes no messages: \w/m)
    disk.remove('/memory/rest')
  } finally {
    await skua.stop()
  }
})

test('doctor --net: round trips, throughput, interfaces, connections, and a peer that does not read', async () => {
  const skua = await startStandalone({ port: 0, store: 'memory' })
  const { namesrvAddr } = skua
  const session = connect({ namesrvAddr })
  const deaf = createServer(socket => {
    socket.pause()
    socket.on('error', () => {})
  })
  const address = await listening(deaf)
  const sender = connectTo(Number(address.split(':')[1]), '127.0.0.1').on('error', () => {})
  try {
    // A table that is large enough to measure the line by.
    for (let i = 0; i < 60; i++)
      await Promise.all(
        Array.from({ length: 10 }, (_, n) => putTopic(session, {}, { topic: `Measured-${i}-${n}-${'x'.repeat(60)}` })),
      )
    await register(session, 'broker-deaf', address)
    sender.write(Buffer.alloc(32 * 1024 * 1024))
    const found = await examined(namesrvAddr, '--net')
    const { links, interfaces, ports, segments, unavailable } = found.net!
    const good = links.find(({ name }) => name === 'broker-a')!
    assert.ok(good.medianMs! > 0 && good.maxMs! >= good.medianMs! && good.up! > 1024 * 1024 && good.down! > 64 * 1024)
    assert.match(links.find(({ name }) => name === 'broker-deaf')!.problem!, /check that it runs/)
    if (process.platform !== 'linux') return
    assert.deepEqual(unavailable, [])
    // The megabytes of the measurement passed by before the second in which it looked; the segments of this very test did not.
    assert.ok(interfaces!.some(({ name }) => name === 'lo'))
    assert.ok(segments!.outPerSecond >= 0)
    const port = Number(skua.brokers[0]!.address.split(':')[1])
    const own = ports!.find(one => one.port === port)!
    assert.equal(own.server, 'broker-a')
    assert.equal(own.states['LISTEN'], 1)
    assert.ok(own.states['ESTABLISHED']! >= 2)
    assert.match(
      said(found).join('\n'),
      new RegExp(
        `^warning send queues: 1 connections of port ${address.split(':')[1]} \\(broker-deaf\\) have a full`,
        'm',
      ),
    )
    const { output } = await people('doctor --net --watch 1 --timeout-ms 1000', namesrvAddr)
    assert.match(output, /^broker-a +127\.0\.0\.1:\d+ +\d+\.\d\d +\d+\.\d\d +\d+\.\d [MG]iB\/s/m)
    assert.match(output, /^ *\d+ +name server +.*\d+ ESTABLISHED/m)
  } finally {
    sender.destroy()
    deaf.close()
    await session.close()
    await skua.stop()
  }
})
