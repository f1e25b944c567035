import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pullMessage, ResponseCode } from '@skua-mq/protocol'
import { World } from '../world.ts'

/** Of a member whose heartbeats say what it wants; answers as `code`, or `n messages`. */
async function pull(
  world: World,
  group: string,
  { expressionType = 'TAG', sysFlag = 0 }: { readonly expressionType?: string; readonly sysFlag?: number } = {},
): Promise<string> {
  const header = {
    ...{ consumerGroup: group, topic: 'T', queueId: 0, queueOffset: 0, maxMsgNums: 32, sysFlag, commitOffset: 0 },
    ...{ suspendTimeoutMillis: 0, subscription: 'a', subVersion: 1, expressionType },
  }
  const reply = await world.client(`${group} pulls`).ask(pullMessage, header)
  return reply.code === ResponseCode.success ? `${reply.header.nextBeginOffset} messages` : String(reply.code)
}

/** A broker that has begun again, and whose clients have not said anything yet. */
async function begunAgain(): Promise<World> {
  const world = await new World().start()
  const client = world.client('client')
  await client.consume('g', ['T'])
  for (const tag of ['a', 'b']) await client.send('T', tag, { properties: { TAGS: tag } })
  await world.stop()
  return world.start()
}

const notExist = String(ResponseCode.subscriptionNotExist)

test('a group that was there before the broker began again pulls before its heartbeat, and is given every tag', async () => {
  const world = await begunAgain()
  assert.equal(await pull(world, 'g'), '2 messages')
  await world.stop()
})

test('for no longer than its heartbeat may take', async () => {
  const world = await begunAgain()
  await world.pass(35_000)
  assert.equal(await pull(world, 'g'), notExist)
  await world.stop()
})

test('a group that the broker has never heard of has to say first who it is', async () => {
  const world = await begunAgain()
  assert.equal(await pull(world, 'other'), notExist)
  // By now the broker has made it.
  assert.equal(await pull(world, 'other'), notExist)
  await world.stop()
})

test('what the broker alone can filter waits for the heartbeat', async () => {
  const world = await begunAgain()
  assert.equal(await pull(world, 'g', { expressionType: 'SQL92' }), notExist)
  assert.equal(await pull(world, 'g', { sysFlag: 8 }), notExist)
  await world.stop()
})

test('what a heartbeat has said since then counts', async () => {
  const world = await begunAgain()
  await world.client('again').consume('g', ['U'])
  assert.equal(await pull(world, 'g'), notExist)
  await world.stop()
})
