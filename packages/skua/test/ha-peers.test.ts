import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { BrokerConfig } from '@skua-mq/broker'
import type { Socket } from '@skua-mq/runtime'
import { bodies, Cluster } from './cluster.ts'

const syncMaster = { brokerRole: 'SYNC_MASTER' } as const

/** What a slave reports (ha.md 2): the end of its log. */
function report(offset: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(offset))
  return bytes
}

/** Whoever connects to the port of the slaves. */
class Peer {
  closed = false
  readonly heard: Buffer[] = []
  private readonly socket: Socket

  constructor(socket: Socket, isReading: boolean) {
    this.socket = socket
    socket.start({
      data: chunk => this.heard.push(Buffer.from(chunk)),
      drained: () => {},
      closed: () => (this.closed = true),
    })
    if (!isReading) socket.pause()
  }

  report(offset: number): void {
    this.socket.write([report(offset)])
  }
}

async function connect(cluster: Cluster, { isReading = false } = {}): Promise<Peer> {
  const host = cluster.network.addressOf('master')
  const net = cluster.machine('stranger').net
  return new Peer(await cluster.settle(net.connect({ host, port: 10_912 })), isReading)
}

/** A master with two messages, and where its log ends. */
async function master(changes: Partial<BrokerConfig> = {}) {
  const cluster = await new Cluster().start()
  await cluster.startBroker('master', { ...syncMaster, ...changes })
  return { cluster, logEnd: await sent(cluster, 'x') }
}

/** Sends two messages of this body; answers where the log ends behind them. */
async function sent(cluster: Cluster, body: string): Promise<number> {
  const [first, second] = [await place(cluster, body), await place(cluster, body)]
  return 2 * second - first
}

/** The id of a message ends with its place in the log. */
async function place(cluster: Cluster, body: string): Promise<number> {
  const { header } = await cluster.send('master', body)
  return Number.parseInt(String(header.msgId).slice(-16), 16)
}

const goneReasons = (cluster: Cluster) =>
  cluster.events.filter(({ name }) => name === 'slave is gone').map(({ fields }) => String(fields['reason']))

describe('the port of the slaves', () => {
  test('nobody who has only claimed to have the log is believed', async () => {
    const { cluster, logEnd } = await master()
    ;(await connect(cluster)).report(logEnd)
    await cluster.pass(100)
    const sending = cluster.send('master', 'x')
    const claiming = await connect(cluster)
    // What one send adds.
    claiming.report(logEnd + logEnd / 2)
    assert.equal((await sending).code, 12)
    assert.equal(claiming.closed, false)
    await cluster.stop()
  })

  test('a report counts up to what was sent on its connection', async () => {
    const { cluster, logEnd } = await master({ mappedFileSizeCommitLog: 4 * 1024 * 1024, slaveTimeout: 10_000 })
    const peer = await connect(cluster)
    peer.report(logEnd)
    await cluster.pass(100)
    // More than may be on its way to somebody who does not read.
    const body = 'm'.repeat(200_000)
    const sending = Array.from({ length: 11 }, () => cluster.send('master', body))
    await cluster.pass(200)
    peer.report(logEnd + 11 * (logEnd / 2 - 1 + body.length))
    const codes = (await Promise.all(sending)).map(({ code }) => code)
    assert.deepEqual([codes[0], codes.at(-1)], [0, 12])
    assert.equal(peer.closed, false)
    await cluster.stop()
  })

  test('one that never reads costs one wait, not one for each send, and is closed', async () => {
    const { cluster, logEnd } = await master()
    const peer = await connect(cluster)
    peer.report(logEnd)
    await cluster.pass(100)
    const begun = cluster.clock.monotonic()
    const codes: number[] = []
    for (let i = 0; i < 5; i++) codes.push((await cluster.send('master', 'm'.repeat(30_000))).code)
    assert.deepEqual(codes.slice(-3), [11, 11, 11])
    assert.ok(cluster.clock.monotonic() - begun < 7000, `${cluster.clock.monotonic() - begun} ms`)
    for (let i = 0; i < 6; i++) {
      peer.report(0)
      await cluster.pass(8000)
    }
    // The end of the connection lies behind what it does not read.
    assert.match(goneReasons(cluster).join(), /it has read nothing for \d+ ms/)
    await cluster.stop()
  })

  test('a crowd that reports nothing, or does not read, keeps no slave out', async () => {
    const { cluster, logEnd } = await master()
    for (let i = 0; i < 300; i++) await connect(cluster)
    for (let i = 0; i < 16; i++) (await connect(cluster)).report(logEnd)
    await cluster.send('master', 'nobody has it')
    await cluster.pass(5000)
    await cluster.startBroker('slave', { slaveReadEnable: true })
    await cluster.pass(12_000)
    assert.equal((await cluster.send('master', 'copied')).code, 0)
    assert.ok(bodies((await cluster.pull('slave')).body).includes('copied'))
    await cluster.stop()
  })

  test('a connection that reports nothing ends', async () => {
    const { cluster } = await master()
    const peer = await connect(cluster, { isReading: true })
    await cluster.pass(25_000)
    assert.equal(peer.closed, true)
    await cluster.stop()
  })

  test('a slave that was away for longer than messages are kept is told so, both sides say it, and no send waits', async () => {
    const everyHour = Array.from({ length: 24 }, (_, hour) => hour).join(';')
    const { cluster } = await master({ fileReservedTime: 1, deleteWhen: everyHour })
    await cluster.startBroker('slave')
    await cluster.pass(35_000)
    await cluster.stopBroker('slave')
    for (let i = 0; i < 12; i++) await cluster.send('master', 'm'.repeat(20_000))
    await cluster.pass(2 * 3_600_000)
    assert.ok(cluster.events.some(({ name }) => name === 'commit log segments deleted'))
    await cluster.startBroker('slave')
    await cluster.pass(20_000)
    assert.match(goneReasons(cluster).join(), /the slave's log ends at \d+, and what follows is deleted here/)
    const lost = cluster.events.filter(({ name }) => name === 'connection to the master lost')
    assert.match(
      lost.map(({ fields }) => String(fields['reason'])).join(),
      /the master goes on at \d+, and was asked for/,
    )
    const begun = cluster.clock.monotonic()
    assert.equal((await cluster.send('master', 'alone')).code, 11)
    assert.ok(cluster.clock.monotonic() - begun < 500)
    await cluster.stop()
  })
})
