import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { BrokerConfig } from '@skua-mq/broker'
import { getBrokerRuntimeInfo } from '@skua-mq/protocol'
import type { Net, Socket } from '@skua-mq/runtime'
import { Cluster } from './cluster.ts'
import { sync, told } from './pair.ts'

const sliceMs = 100

/** A line between a slave and the port of its master: what the master sends comes so many bytes a second. */
class Line {
  bytesPerSecond: number
  private readonly cluster: Cluster
  private readonly net: Net
  private ends: Socket[] = []

  constructor(cluster: Cluster, bytesPerSecond: number) {
    this.cluster = cluster
    this.net = cluster.machine('line').net
    this.bytesPerSecond = bytesPerSecond
  }

  get address(): string {
    return `${this.cluster.network.addressOf('line')}:10912`
  }

  async start(): Promise<this> {
    await this.cluster.settle(this.net.listen({ host: '0.0.0.0', port: 10_912 }, socket => void this.join(socket)))
    return this
  }

  /** Ends all connections. */
  cut(): void {
    for (const end of this.ends.splice(0)) end.destroy()
  }

  private async join(slave: Socket): Promise<void> {
    const { clock, network } = this.cluster
    const early: Buffer[] = []
    let master: Socket | undefined
    slave.start({
      data: chunk => (master === undefined ? early.push(Buffer.from(chunk)) : master.write([Buffer.from(chunk)])),
      drained: () => {},
      closed: () => master?.destroy(),
    })
    master = await this.net.connect({ host: network.addressOf('master'), port: 10_912 })
    let waiting = Buffer.alloc(0)
    let isOpen = true
    const pass = () => {
      if (!isOpen) return
      const bytes = Math.min(waiting.length, (this.bytesPerSecond * sliceMs) / 1000)
      if (bytes > 0) slave.write([waiting.subarray(0, bytes)])
      waiting = waiting.subarray(bytes)
      clock.after(sliceMs, pass)
    }
    master.start({
      data: chunk => {
        waiting = Buffer.concat([waiting, chunk])
      },
      drained: () => {},
      closed: () => {
        isOpen = false
        slave.destroy()
      },
    })
    if (early.length > 0) master.write(early)
    this.ends.push(slave, master)
    pass()
  }
}

const fast = 1_000_000
const large = 'm'.repeat(30_000)

/** A SYNC_MASTER whose frames are small, and a slave behind a line. */
async function behindLine(further: Partial<BrokerConfig> = {}): Promise<{ cluster: Cluster; line: Line }> {
  const cluster = await new Cluster().start()
  await cluster.startBroker('master', { ...sync, haTransferBatchSize: 1000, slaveTimeout: 15_000 })
  const line = await new Line(cluster, fast).start()
  await cluster.startBroker('slave', { haMasterAddress: line.address, ...further })
  await cluster.pass(35_000)
  assert.equal((await cluster.send('master', 'before')).code, 0)
  return { cluster, line }
}

async function logEnd(cluster: Cluster, role: 'master' | 'slave'): Promise<number> {
  const reply = await cluster.ask(role, getBrokerRuntimeInfo, {} as never)
  return Number(getBrokerRuntimeInfo.replyBody!.decode(reply.body!).table.get('commitLogMaxOffset'))
}

describe('a large record on a slow line', () => {
  test('is waited for as long as it gets on, though it is in the log only as a whole', async () => {
    const { cluster, line } = await behindLine()
    line.bytesPerSecond = 10_000
    const begun = cluster.clock.monotonic()
    assert.equal((await cluster.send('master', large)).code, 0)
    assert.ok(cluster.clock.monotonic() - begun > 2500)
    assert.deepEqual(told(cluster, /does not report/), [])
    await cluster.stop()
  })

  test('is compared as long as it gets on, where the log here ends with it', async () => {
    const { cluster, line } = await behindLine()
    assert.equal((await cluster.send('master', large)).code, 0)
    line.bytesPerSecond = 2000
    line.cut()
    await cluster.pass(25_000)
    const waiting = cluster.send('master', 'behind it')
    await cluster.pass(5000)
    await waiting
    assert.equal(await logEnd(cluster, 'slave'), await logEnd(cluster, 'master'))
    assert.deepEqual(
      told(cluster, /connection to the master lost/).filter(({ fields }) =>
        /sent nothing/.test(String(fields['reason'])),
      ),
      [],
    )
    await cluster.stop()
  })

  test('is copied where a slave takes little in a second, and the master hears of it meanwhile', async () => {
    const cluster = await new Cluster().start()
    await cluster.startBroker('master', { haTransferBatchSize: 1000 })
    for (let i = 0; i < 3; i++) await cluster.send('master', large)
    await cluster.startBroker('slave', { haCopyBytesPerSecond: 500 })
    await cluster.pass(240_000)
    assert.equal(await logEnd(cluster, 'slave'), await logEnd(cluster, 'master'))
    assert.deepEqual(told(cluster, /connection to the master lost|slave is gone/), [])
    await cluster.stop()
  })
})
