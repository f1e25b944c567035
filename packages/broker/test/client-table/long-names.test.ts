import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ResponseCode } from '@skua-mq/protocol'
import { World } from '../world.ts'

test('a group whose name fits no frame harms nobody: who is to be told of it is not, and an event says so', async () => {
  const world = await new World({ dialect: '4.9' }).start()
  const name = 'g'.repeat(300_000)
  const [first, second] = [world.client('first'), world.client('second')]
  await first.consume(name, ['T'])
  await second.consume(name, ['T'])
  // The newcomers are told later, by a timer.
  await world.pass(1000)
  assert.equal((await first.send('T', 'x')).code, ResponseCode.success)
  assert.ok(world.events.some(event => event.name === 'request handler failed' && event.fields['code'] === 40))
  await world.stop()
})
