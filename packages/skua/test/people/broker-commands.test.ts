import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Producer } from '@skua-mq/client'
import { startStandalone } from '../../src/index.ts'
import { asJson, people } from './run.ts'

test('broker promote, demote, drain and join: what cannot be is refused with the reason, and one that is drained has left', async () => {
  const skua = await startStandalone({ port: 0, store: 'memory' })
  const { namesrvAddr } = skua
  const producer = new Producer({ namesrvAddr, group: 'makers' })
  try {
    await producer.send({ topic: 'One', body: '1', delayMs: 2000 } as never)
    const demoted = await people('broker demote broker-a', namesrvAddr)
    assert.equal(demoted.exitCode, 1)
    assert.match(demoted.errors, /no slave is connected, and the log here ends at \d+/)
    const promoted = await people('broker promote broker-a', namesrvAddr)
    assert.match(promoted.errors, /broker-a: no slave is registered/)
    const itself = await people(`broker promote ${skua.brokers[0]!.address}`, namesrvAddr)
    assert.match(itself.errors, /is the master of its name already/)
    const joined = await people('broker join broker-a --like broker-a', namesrvAddr)
    assert.match(joined.output, /^broker-a \(.*\) has \d+ groups and \d+ topics now/)
    const inTime = await people('broker drain broker-a --quiet 100 --wait 1', namesrvAddr)
    assert.match(inTime.output, /takes no more messages, and has not left/)
    assert.equal((await people('broker drain broker-a --undo', namesrvAddr)).exitCode, 0)
    assert.ok(await producer.send({ topic: 'One', body: '2' }))
    await producer.close()
    const drained = await asJson<{ by: string; left: string[] }>('broker drain broker-a --quiet 1', namesrvAddr)
    assert.deepEqual([drained.by, drained.left], ['left', [skua.brokers[0]!.address]])
    assert.match((await people('status', namesrvAddr)).errors, /no broker is registered/)
  } finally {
    await producer.close()
    await skua.stop()
  }
})
