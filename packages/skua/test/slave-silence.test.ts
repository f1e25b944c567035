import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Socket } from '@skua-mq/runtime'
import { Cluster } from './cluster.ts'
import { pair, sync, told } from './pair.ts'

/** What a send was answered, and after how many milliseconds. */
async function timed(cluster: Cluster, body: string): Promise<{ code: number; ms: number }> {
  const begun = cluster.clock.monotonic()
  const { code } = await cluster.send('master', body)
  return { code, ms: cluster.clock.monotonic() - begun }
}

describe('sends that wait for a slave', () => {
  test('are answered with SLAVE_NOT_AVAILABLE at once when the connection of the last one ends', async () => {
    const cluster = await pair('slave')
    cluster.network.partition('master', 'slave')
    const waiting = [1, 2, 3].map(i => timed(cluster, `waits ${i}`))
    await cluster.pass(200)
    cluster.network.reset('master', 'slave')
    for (const { code, ms } of await Promise.all(waiting)) {
      assert.equal(code, 11)
      assert.ok(ms < 300, `${ms} ms`)
    }
    await cluster.stop()
  })

  test('go on waiting for the other one', async () => {
    const cluster = await pair('slave', 'further')
    cluster.network.partition('master', 'slave')
    cluster.network.partition('master', 'further')
    const waiting = timed(cluster, 'waits')
    await cluster.pass(200)
    cluster.network.reset('master', 'slave')
    await cluster.pass(200)
    cluster.network.heal('master', 'further')
    const { code, ms } = await waiting
    assert.equal(code, 0)
    assert.ok(ms >= 400, `${ms} ms`)
    await cluster.stop()
  })

  test('wait no longer than haAnswerTimeout for one that has vanished without a word, and for the same one when it is back', async () => {
    const cluster = await pair('slave')
    cluster.network.partition('master', 'slave')
    const { code, ms } = await timed(cluster, 'half-open')
    assert.equal(code, 11)
    assert.ok(ms >= 990 && ms <= 1010, `${ms} ms`)
    assert.ok((await timed(cluster, 'the next one')).ms < 100)
    const [faltered] = told(cluster, /does not report/)
    assert.ok(Number(faltered?.fields['sent']) > Number(faltered?.fields['position']))
    assert.equal(told(cluster, /slave is gone/).length, 0)
    cluster.network.healAll()
    await cluster.pass(1000)
    assert.equal(told(cluster, /slave reports again/).length, 1)
    assert.equal((await timed(cluster, 'together again')).code, 0)
    await cluster.stop()
  })

  test('wait for one that is slow as long as it gets on', async () => {
    const cluster = await new Cluster().start()
    await cluster.startBroker('master', sync)
    await cluster.send('master', 'alone')
    const at = { host: cluster.network.addressOf('master'), port: 10_912 }
    const slow = new SlowSlave(await cluster.settle(cluster.machine('slow').net.connect(at)))
    await cluster.pass(100)
    const waiting = timed(cluster, 'm'.repeat(300))
    for (const share of [0.2, 0.4, 0.6, 0.8, 1]) {
      await cluster.pass(500)
      slow.report(share)
    }
    const { code, ms } = await waiting
    assert.equal(code, 0)
    assert.ok(ms > 2000, `${ms} ms`)
    assert.equal(told(cluster, /does not report/).length, 0)
    await cluster.stop()
  })
})

describe('a slave whose master says nothing', () => {
  test('notices it within some rounds, keeps the connection, and notices that it is back', async () => {
    const cluster = await pair('slave')
    const silent = () => told(cluster, /answers no report/).length
    await cluster.pass(20_000)
    assert.equal(silent(), 0)
    cluster.network.partition('master', 'slave')
    await cluster.pass(2000)
    assert.equal(silent(), 1)
    cluster.network.healAll()
    await cluster.pass(1000)
    assert.equal(told(cluster, /answers again/).length, 1)
    assert.equal(told(cluster, /connection to the master lost/).length, 0)
    await cluster.stop()
  })

  test('does not take a master of RocketMQ for silent, which answers no reports', async () => {
    const cluster = await new Cluster().start()
    const { net, clock } = cluster.machine('java')
    let sent = 0
    await cluster.settle(
      net.listen({ host: '0.0.0.0', port: 10_912 }, socket => {
        socket.start({ data: () => {}, drained: () => {}, closed: () => {} })
        const beat = () => {
          sent++
          socket.write([Buffer.alloc(12)])
          clock.after(5000, beat)
        }
        clock.after(0, beat)
      }),
    )
    const haMasterAddress = `${cluster.network.addressOf('java')}:10912`
    await cluster.startBroker('slave', { haMasterAddress, haCopyWholeLog: false })
    await cluster.pass(60_000)
    assert.ok(sent > 10)
    assert.deepEqual(told(cluster, /answers no report|connection to the master lost/), [])
    await cluster.stop()
  })
})

/** Reports a part of what it has got, and more each time. */
class SlowSlave {
  private heard = Buffer.alloc(0)
  private readonly socket: Socket

  constructor(socket: Socket) {
    this.socket = socket
    socket.start({
      data: chunk => {
        this.heard = Buffer.concat([this.heard, chunk])
      },
      drained: () => {},
      closed: () => {},
    })
    this.report(0)
  }

  /** Where the log ends that has come. */
  private get end(): number {
    let end = 0
    for (let at = 0; at < this.heard.length; at += 12 + this.heard.readInt32BE(at + 8))
      end = Number(this.heard.readBigInt64BE(at)) + this.heard.readInt32BE(at + 8)
    return end
  }

  report(share: number): void {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64BE(BigInt(Math.floor(this.end * share)))
    this.socket.write([bytes])
  }
}
