import assert from 'node:assert/strict'
import { test } from 'node:test'
import { popMessage, pullMessage } from '@skua-mq/protocol'
import { World } from '../world.ts'

/** 5000 comparisons, none of which is true. */
const costly = Array.from({ length: 5000 }, (_, n) => `a${n} = 1`).join(' OR ')

test('an expression that is costly for each message holds up nobody, however many there are', async () => {
  const it = await new World({ enablePropertyFilter: true }).start()
  const peer = it.client('consumer')
  const properties = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`p${n}`, 'x'.repeat(20)]))
  for (let n = 0; n < 300; n++) await peer.send('T', `m${n}`, { queueId: 0, properties })
  const pull = {
    ...{ consumerGroup: 'g', topic: 'T', queueId: 0, queueOffset: 0, maxMsgNums: 32, sysFlag: 4, commitOffset: 0 },
    ...{ suspendTimeoutMillis: 0, subscription: costly, subVersion: 0, expressionType: 'SQL92' },
  }
  const pop = {
    ...{ consumerGroup: 'p', topic: 'T', queueId: 0, maxMsgNums: 32, invisibleTime: 60_000, pollTime: 0 },
    ...{ bornTime: 0, initMode: 0, expType: 'SQL92', exp: costly, order: false },
  }
  // Compiled once, and kept.
  await peer.ask(pullMessage, { ...pull, queueOffset: 300 })
  for (const ask of [() => peer.ask(pullMessage, pull), () => peer.ask(popMessage, pop)]) {
    const begun = performance.now()
    const reply = await ask()
    const took = performance.now() - begun
    assert.notEqual(reply.code, 0)
    // A second and more for all in one go before; a pop goes through the queue in many turns.
    assert.ok(took < 800, `${took} ms`)
  }
  await it.stop()
})
