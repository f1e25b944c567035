import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Admin } from '@skua-mq/client'
import { type Standalone, startStandalone } from '../../src/index.ts'
import { bodiesOf, Caller, receiveOf, sendOf } from './caller.ts'

const bodyBytes = 4_000_000

describe('large messages', () => {
  let skua: Standalone
  let caller: Caller

  before(async () => {
    skua = await startStandalone({ store: 'memory', port: 0, grpcPort: 0 })
    await using admin = new Admin({ namesrvAddr: skua.namesrvAddr })
    await admin.createTopic('Large', { queueNum: 16 })
    caller = new Caller(skua.grpcAddr!, { clientId: 'large' })
  })

  after(async () => {
    caller?.close()
    await skua?.stop()
  })

  test('sixteen at once over one connection, and whole again', async () => {
    const body = Buffer.alloc(bodyBytes, 'x')
    const sent = await Promise.all(
      Array.from({ length: 16 }, (_, i) =>
        caller.ask('SendMessage', sendOf('Large', body, { messageId: `large ${i}` })),
      ),
    )
    assert.deepEqual(new Set(sent.map(({ status }) => status?.code)), new Set([20_000]))
    const ids = new Set<string>()
    let receives = 0
    while (ids.size < 16 && receives++ < 16) {
      const open = caller.open('ReceiveMessage', receiveOf('Large', 'G_large'))
      open.stream.end()
      assert.equal(await open.ended, '0')
      for (const { message } of open.answers) if (message !== undefined) ids.add(message.systemProperties.messageId)
      assert.ok(bodiesOf(open.answers).every(each => each.length === bodyBytes))
    }
    assert.equal(ids.size, 16)
  })
})
