import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DialectName } from '@skua-mq/protocol'
import { until } from '../src/until.ts'
import { type JavaWorld, withJava } from './java-world.ts'

const traces = 'RMQ_SYS_TRACE_TOPIC'

const quietMs = 3000

/** Java's forms of what is traced: `Pub` of a producer, `SubBefore` and `SubAfter` of a consumer. */
async function traced(world: JavaWorld, form: string, msgId: string): Promise<boolean> {
  const all = await world.readAll(traces)
  return all.some(({ body, keys }) => body.startsWith(form) && keys.includes(msgId))
}

async function consumed(world: JavaWorld): Promise<string> {
  const topic = world.name('Traced')
  // The topic is there before its consumer, which else looks for it every half minute.
  await world.send(topic, { trace: true })
  await world.push('traced', { topic, trace: true })
  const [sent] = await world.send(topic, { count: 1, trace: true })
  await world.received('traced', 2)
  // The traces of both lie in one topic, and those of the producer come in any case.
  await until(() => traced(world, 'Pub', sent!.msgId), 'the trace of the producer')
  return sent!.msgId
}

const at = (dialect: DialectName, tests: (world: JavaWorld) => void) =>
  withJava(
    `at a broker of dialect ${dialect}, the Java client`,
    { config: { dialect, traceTopicEnable: true } },
    tests,
    ['5.3.3'],
  )

at('5.3', world => {
  test('traces what its consumers do', async () => {
    const msgId = await consumed(world)
    await until(() => traced(world, 'SubBefore', msgId), 'the trace of the consumer')
    await world.stopConsumer('traced')
  })
})

at('4.9', world => {
  test('traces nothing of its consumers, as at RocketMQ 4.9: messages do not say their region', async () => {
    const msgId = await consumed(world)
    await new Promise(resolve => setTimeout(resolve, quietMs))
    assert.equal(await traced(world, 'SubBefore', msgId), false)
    await world.stopConsumer('traced')
  })
})
