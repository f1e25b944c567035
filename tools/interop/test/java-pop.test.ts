import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { setMessageRequestMode } from '@skua-mq/protocol'
import { javaVersions } from '../src/java-client.ts'
import { bodies, type JavaWorld, withJava } from './java-world.ts'

/** As mqadmin's setConsumeMode. */
const popFrom = (world: JavaWorld, topic: string, group: string) =>
  world.withTool(async ask => {
    const mode = { topic, consumerGroup: group, mode: 'POP' as const, popShareQueueNum: 0 }
    const reply = await ask(setMessageRequestMode, {}, setMessageRequestMode.body!.encode(mode))
    assert.equal(reply.code, 0, reply.remark)
  })

const versions = javaVersions.filter(version => !version.startsWith('4.'))

const tests = (world: JavaWorld) => {
  test('a push consumer pops, and what it acknowledges does not come again', async () => {
    const [topic, group] = [world.name('Popped'), world.name('popper')]
    await world.send(topic, { queueId: 0, body: 'first' })
    await popFrom(world, topic, group)
    await world.push('popper', { topic, group, balancedByBroker: true, invisibleMs: 5000 })
    await world.received('popper', 1)
    for (let n = 1; n < 40; n++) await world.send(topic, { queueId: n % 4, body: `m${n}` })
    const got = await world.received('popper', 40)
    assert.equal(new Set(bodies(got)).size, 40)
    assert.ok(got.every(({ properties }) => properties['POP_CK'] !== undefined), 'they were popped')
    await sleep(8000)
    assert.equal((await world.received('popper', 41, 1000)).length, 40)
    await world.stopConsumer('popper')
  })
}

withJava('POP of the official Java client', {}, tests, versions)
