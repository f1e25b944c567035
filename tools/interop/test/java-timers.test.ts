import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bodies, type Sent, withJava } from './java-world.ts'

interface Timed extends Sent {
  recallHandle: string | null
}

/** Clients that know of times of delivery. */
const versions = ['5.3.3', '5.4.0']

withJava(
  'times of delivery of the official Java client',
  { config: { recallMessageEnable: true } },
  world => {
    test('messages come at their time, not before, and what is recalled does not', async () => {
      const topic = world.name('Timed')
      await world.send(topic, { body: 'first' })
      await world.call('push', { topic, name: 'timed', group: world.name('timed') })
      await world.received('timed', 1)
      const delays = new Map([
        ['a', 3300],
        ['b', 1400],
        ['c', 2500],
        ['gone', 6000],
      ])
      const handles = new Map<string, string>()
      for (const [body, ms] of delays) {
        const wish = body === 'b' ? { deliverInMs: ms } : { delayMs: ms }
        const [sent] = (await world.send(topic, { body, ...wish })) as Timed[]
        assert.ok(sent?.recallHandle, `${body} has a handle`)
        handles.set(body, sent.recallHandle)
      }
      assert.ok(await world.call('recall', { topic, handle: handles.get('gone') }))
      const got = (await world.received('timed', 4)).slice(1)
      assert.deepEqual(
        got.map(({ body }) => body),
        ['b', 'c', 'a'],
      )
      for (const { body, receivedAt, bornTimestamp } of got) {
        const late = receivedAt - bornTimestamp - delays.get(body)!
        assert.ok(late >= 0, `${body} came ${-late} ms early`)
        assert.ok(late < 1000, `${body} came ${late} ms late`)
      }
      assert.deepEqual(bodies(await world.received('timed', 5, 5000)), ['a', 'b', 'c', 'first'])
      await world.stopConsumer('timed')
    })
  },
  versions,
)
