import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Explained } from '@skua-mq/admin'
import { Producer, PushConsumer, type PushConsumerOptions } from '@skua-mq/client'
import type { Diagnosis } from '../../../packages/skua/src/command/people/doctor/doctor.ts'
import type { Tick } from '../../../packages/skua/src/command/people/top/top.ts'
import { people, until } from '../../../packages/skua/test/people/run.ts'
import { referenceVersions } from '../src/reference/jars.ts'
import { startReference } from '../src/reference/start.ts'
import { skipWithout } from '../src/toolchain.ts'

for (const version of referenceVersions) {
  test(`explain, doctor and top work with RocketMQ ${version}; it keeps no history of offsets, and that is said`, {
    skip: skipWithout('java'),
    timeout: 300_000,
  }, async () => {
    const conf = { enablePropertyFilter: 'true', messageDelayLevel: '1s 1h 1s 1h', defaultTopicQueueNums: '1' }
    const reference = await startReference({ version, conf })
    const { namesrvAddr } = reference
    const producer = new Producer({ namesrvAddr, group: 'makers', defaultTopicQueueNums: 1 })
    const open: PushConsumer[] = []
    const consumer = (group: string, options: Partial<PushConsumerOptions> = {}) => {
      const from = { consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET', persistConsumerOffsetInterval: 200 } as const
      const made = new PushConsumer({ namesrvAddr, group, ...from, ...options })
      open.push(made)
      return made
    }
    const json = async <T>(line: string): Promise<T> => {
      const { output, errors } = await people(`${line} --json`, namesrvAddr)
      assert.equal(errors, '', line)
      return JSON.parse(output) as T
    }
    const becomes = async (id: string, group: string, state: string): Promise<string> => {
      let last = ''
      const told = async () => {
        const { output, errors } = await people(`explain ${id} -g ${group} --json`, namesrvAddr)
        last = errors || output
        return errors === '' && (JSON.parse(output) as Explained).state === state
      }
      await until(`${state} of ${group}`, told).catch(error => assert.fail(`${error.message}: ${last}`))
      return (JSON.parse(last) as Explained).sentence
    }
    try {
      const { msgId } = await producer.send({ topic: 'Orders', body: 'one', tag: 'red', properties: { size: '3' } })
      consumer('reads')
        .subscribe('Orders')
        .onMessage(() => {})
      consumer('tags')
        .subscribe('Orders', 'blue')
        .onMessage(() => {})
      consumer('sql')
        .subscribe('Orders', 'size > 5', { type: 'SQL92' })
        .onMessage(() => {})
      consumer('retries')
        .subscribe('Orders')
        .onMessage(() => 'RECONSUME_LATER')
      consumer('dead', { maxReconsumeTimes: 0 })
        .subscribe('Orders')
        .onMessage(() => 'RECONSUME_LATER')
      consumer('stuck')
        .subscribe('Orders')
        .onMessage(() => new Promise<void>(() => {}))
      await Promise.all(open.map(one => one.start()))
      assert.match(await becomes(msgId, 'reads', 'CONSUMED_OR_SKIPPED'), /goes on at 1 in queue \S+\/0 of Orders/)
      assert.match(await becomes(msgId, 'tags', 'FILTERED'), /the tag "red"/)
      assert.match(await becomes(msgId, 'sql', 'FILTERED'), /"size > 5" is not true/)
      assert.match(await becomes(msgId, 'dead', 'DEAD_LETTER'), /dead letter since/)
      await until('the second retry is far', async () =>
        /retry 2, due at 20/.test(await becomes(msgId, 'retries', 'WAITS_FOR_RETRY')),
      )
      await becomes(msgId, 'stuck', 'NOT_REACHED')
      const { msgId: later } = await producer.send({ topic: 'Late', body: 'x', delayLevel: 2 })
      assert.match(await becomes(later, 'reads', 'DELAYED'), /comes into Late at 20/)
      const { findings, net } = await json<Diagnosis>('doctor --watch 3 --net')
      assert.deepEqual(
        findings
          .filter(({ check }) => check !== 'disk')
          .map(({ check, sentence }) => [check, /group \w+/.exec(sentence)?.[0]]),
        [['standstill', 'group stuck']],
      )
      assert.ok(net!.links[0]!.medianMs! > 0 && net!.links[0]!.up! > 0)
      const { output } = await people('top --interval 1 --count 1 --json', namesrvAddr)
      const tick = JSON.parse(output) as Tick
      assert.ok(tick.topics.some(({ topic, messages }) => topic === 'Orders' && messages === 1))
      assert.equal(tick.groups.find(({ group }) => group === 'reads')!.members, 1)
      const history = await people('offsets history -g reads', namesrvAddr)
      assert.equal(history.exitCode, 1)
      assert.match(history.errors, /no broker keeps a history of offsets \(\S+\): only Skua's do/)
    } finally {
      await Promise.all([producer.close(), ...open.map(one => one.close())])
      await reference.stop('SIGKILL')
    }
  })
}
