import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { sendMessageV2, writeFields } from '@skua-mq/protocol'
import { RemotingClient } from '@skua-mq/remoting'
import { nodeRuntime, SimRandom } from '@skua-mq/runtime'
import { startStandalone } from '../src/index.ts'

const seconds = Number(process.env['SKUA_ABUSE_SECONDS'] ?? 3)
/** Above what the process has before: the carry buffers of all connections are bounded by maxCarryBytes (256 MiB). */
const maxGrowthMiB = 300

const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

function open(port: number): Promise<Socket> {
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port }, () => resolve(socket))
    socket.on('error', () => resolve(socket))
  })
}

/** What a peer who means harm, or is broken, writes. */
function nastyBytes(random: SimRandom): Buffer {
  switch (random.int(5)) {
    case 0:
      return Buffer.from(random.bytes(1 + random.int(2000)))
    case 1: {
      const huge = Buffer.alloc(9)
      huge.writeInt32BE(0x7fff_ffff)
      return huge
    }
    case 2: {
      // A frame of 16 MiB that is announced and never comes.
      const slow = Buffer.alloc(1000)
      slow.writeInt32BE(16_000_000, 0)
      slow.writeInt32BE(500, 4)
      return slow
    }
    case 3: {
      const negative = Buffer.alloc(8)
      negative.writeInt32BE(-5)
      return negative
    }
    default:
      return Buffer.from('{"code":310,"extFields":')
  }
}

test('random bytes, huge lengths, slow senders and 1,000 idle connections do not stop another client’s sends', async () => {
  const skua = await startStandalone({
    port: 0,
    store: 'memory',
    config: { mappedFileSizeCommitLog: 64 * 1024 * 1024 },
  })
  const random = new SimRandom(Number(process.env['SKUA_SEED'] ?? 7))
  const [host = '', port = ''] = (skua.brokers[0]?.address ?? '').split(':')
  const client = new RemotingClient(nodeRuntime())
  const idle = await Promise.all(Array.from({ length: 1000 }, () => open(Number(port))))
  const before = process.memoryUsage().rss
  const header = {
    producerGroup: 'pg',
    topic: 'Abused',
    defaultTopic: 'TBW102',
    defaultTopicQueueNums: 4,
    queueId: 0,
    sysFlag: 0,
    bornTimestamp: 1,
    flag: 0,
    unitMode: false,
    batch: false,
  }
  assert.ok(Object.keys(writeFields(sendMessageV2.header, header)).length > 5)
  const until = Date.now() + seconds * 1000
  const nasty: Socket[] = []
  const abuse = (async () => {
    while (Date.now() < until) {
      const socket = await open(Number(port))
      nasty.push(socket)
      for (let i = 0; i < 3; i++) if (!socket.destroyed) socket.write(nastyBytes(random))
      if (nasty.length > 500) nasty.shift()?.destroy()
      await sleep(1)
    }
  })()
  let sent = 0
  let slowest = 0
  while (Date.now() < until) {
    const begun = performance.now()
    const reply = await client.request(`${host}:${port}`, sendMessageV2, header, { body: Buffer.from('still here') })
    slowest = Math.max(slowest, performance.now() - begun)
    assert.equal(reply.code, 0)
    sent++
  }
  await abuse
  const grownMiB = (process.memoryUsage().rss - before) / 1024 / 1024
  for (const socket of [...idle, ...nasty]) socket.destroy()
  await client.close()
  await skua.stop()
  console.log(
    `${sent} sends beside ${nasty.length} abusers, slowest ${Math.round(slowest)} ms, memory +${Math.round(grownMiB)} MiB`,
  )
  // Hundreds a second on a quiet machine; one that is busy with other tests has room for a tenth.
  assert.ok(sent > seconds * 30, `${sent} sends in ${seconds} s`)
  assert.ok(grownMiB < maxGrowthMiB, `memory grew by ${Math.round(grownMiB)} MiB`)
})
