import { createHash } from 'node:crypto'
import { SimRandom } from '@skua-mq/runtime'
import { startBroker } from '../src/index.ts'

/** What a year of a small shop with a broker was like. */
export interface Year {
  readonly sent: number
  readonly handled: number
  readonly failures: number
  readonly deadLetters: number
  readonly delayed: number
  readonly decided: number
  /** Messages of the topic that retention has left. */
  readonly left: number
  /** Of all that happened, with its times. */
  readonly digest: string
}

/**
 * `days` of virtual time: in each some orders, of which some fail now and then, some are poison, some are delayed by
 * milliseconds or by level, and some are transactions that are decided when the broker asks.
 */
export async function liveThrough(days: number, seed: number): Promise<Year> {
  const random = new SimRandom(seed)
  const config = { mappedFileSizeCommitLog: 64 * 1024, fileReservedTime: 48 }
  const topics = [{ name: 'Orders', queues: 4 }]
  await using broker = await startBroker({ clock: 'virtual', random: seed, topics, config })
  const { clock } = broker
  const history = createHash('sha256')
  const counts = { sent: 0, handled: 0, failures: 0, delayed: 0, decided: 0 }
  const note = (what: string) => history.update(`${clock.now()} ${what}\n`)
  await broker.consume({
    group: 'shop',
    topic: 'Orders',
    maxReconsumeTimes: 5,
    handler: message => {
      const body = message.text()
      note(`${body} ${message.reconsumeTimes}`)
      if (body.startsWith('poison') || (body.startsWith('shaky') && message.reconsumeTimes < 2)) {
        counts.failures++
        throw new Error('not now')
      }
      counts.handled++
    },
  })
  const producer = await broker.producer({
    checkTransaction: () => {
      counts.decided++
      note('decided')
      return random.chance(0.5) ? 'commit' : 'rollback'
    },
  })
  const pad = '.'.repeat(400)
  for (let day = 0; day < days; day++) {
    for (let order = 0; order < 6; order++) {
      const kind = ['plain', 'shaky', 'poison', 'level', 'time', 'tx'][order === 2 && day % 7 > 0 ? 0 : order]!
      const message = { topic: 'Orders', body: `${kind} ${counts.sent++} ${pad}` }
      if (kind === 'tx') await producer.transaction(message, () => 'unknown')
      else if (kind === 'level') await producer.send({ ...message, delayLevel: 1 + random.int(18) })
      else if (kind === 'time') await producer.send({ ...message, delayMs: 1000 + random.int(2 * 86_400_000) })
      else await producer.send(message)
      if (kind === 'level' || kind === 'time') counts.delayed++
      if (random.chance(0.05)) await clock.advance(random.int(3_600_000))
    }
    await clock.advance('1d')
  }
  const deadLetters = (await broker.deadLetters('shop')).length
  const left = (await broker.messages('Orders')).length
  return { ...counts, deadLetters, left, digest: history.digest('hex') }
}
