import assert from 'node:assert/strict'
import test from 'node:test'
import { updateAndCreateSubscriptionGroup, updateAndCreateTopic, updateConsumerOffset } from '@skua-mq/protocol'
import { World } from '../world.ts'

const said = (world: World) =>
  world.events
    .filter(({ name }) => name === 'a configuration file is missing although the store has messages')
    .map(({ fields }) => fields['file'])

const restarted = async (world: World, gone: readonly string[]): Promise<unknown[]> => {
  await world.stop()
  for (const name of gone) world.runtime.disk.remove(name)
  world.events.length = 0
  await world.start()
  return said(world)
}

test('topics and offsets whose files somebody removed are said to be missing; a broker that never had any says nothing', async () => {
  const world = await new World().start()
  const client = world.client('client')
  assert.equal((await client.send('T', 'message')).code, 0)
  assert.deepEqual(said(world), [])
  const config = `${world.broker.config.storePathRootDir}/config`
  const files = (name: string) => [`${config}/${name}`, `${config}/${name}.bak`]
  // Nobody has consumed.
  assert.deepEqual(await restarted(world, []), [])
  const peer = world.client('another')
  const retry = { topic: '%RETRY%g', defaultTopic: '', readQueueNums: 1, writeQueueNums: 1, perm: 6, topicSysFlag: 0 }
  assert.equal(
    (await peer.ask(updateAndCreateTopic, { ...retry, topicFilterType: 'SINGLE_TAG', order: false })).code,
    0,
  )
  const group = updateAndCreateSubscriptionGroup.body!.encode({ groupName: 'g', consumeEnable: true } as never)
  assert.equal((await peer.ask(updateAndCreateSubscriptionGroup, {}, group)).code, 0)
  const commit = { consumerGroup: 'g', topic: 'T', queueId: 0, commitOffset: 1 }
  assert.equal((await peer.ask(updateConsumerOffset, commit)).code, 0)
  await world.pass(10_000)
  assert.deepEqual(await restarted(world, []), [])
  assert.deepEqual(await restarted(world, files('consumerOffset.json')), ['consumerOffset.json'])
  assert.deepEqual(await restarted(world, [config]), ['topics.json', 'consumerOffset.json'])
  await world.stop()
})
