import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allRequests, ResponseCode } from '@skua-mq/protocol'
import { adminCodes, isDecided, openCodes } from '../../src/acl/needs.ts'
import { World } from '../world.ts'

test('of each request that a broker answers it was decided who may ask it', async () => {
  const world = await new World().start()
  const peer = world.client('asker')
  const served: number[] = []
  for (const spec of allRequests) {
    const reply = await peer.ask(spec, {} as never)
    if (reply.code !== ResponseCode.requestCodeNotSupported) served.push(spec.code)
  }
  await world.stop()
  assert.ok(served.length > 80, `${served.length} are answered`)
  assert.deepEqual(
    served.filter(code => !isDecided(code)),
    [],
    'without a row in acl/needs.ts every account may ask it',
  )
  assert.deepEqual(
    [...openCodes].filter(code => !served.includes(code) || adminCodes.has(code)),
    [],
    'nobody answers it, or only to an admin',
  )
})
