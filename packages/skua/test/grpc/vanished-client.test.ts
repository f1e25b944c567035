import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Admin } from '@skua-mq/client'
import { type Standalone, startStandalone } from '../../src/index.ts'
import { bodiesOf, Caller, consumerOf, type Open, receiveOf, sendOf, until } from './caller.ts'

describe('messages of a client that vanishes', () => {
  let skua: Standalone
  let admin: Admin
  const callers: Caller[] = []

  before(async () => {
    skua = await startStandalone({ store: 'memory', port: 0, grpcPort: 0 })
    admin = new Admin({ namesrvAddr: skua.namesrvAddr })
  })

  after(async () => {
    for (const caller of callers) caller.close()
    await admin?.close()
    await skua?.stop()
  })

  function caller(clientId: string): Caller {
    const one = new Caller(skua.grpcAddr!, { clientId })
    callers.push(one)
    return one
  }

  async function received(by: Caller, topic: string, group: string): Promise<string[]> {
    const open = by.open('ReceiveMessage', receiveOf(topic, group))
    open.stream.end()
    assert.equal(await open.ended, '0')
    return bodiesOf(open.answers)
  }

  /** A receive that waits at the broker. */
  async function waiting(by: Caller, topic: string, group: string, wishes = {}): Promise<Open> {
    const open = by.open('ReceiveMessage', receiveOf(topic, group, { longPollingTimeout: { seconds: 20 }, ...wishes }))
    open.stream.end()
    await new Promise(resolve => setTimeout(resolve, 300))
    return open
  }

  test('what is popped for a receive whose client is gone comes to another one in a second or two', async () => {
    const topic = 'Vanish'
    await admin.createTopic(topic, { queueNum: 1 })
    const gone = await waiting(caller('gone'), topic, 'G_vanish')
    gone.stream.close(8)
    await gone.ended
    const other = caller('other')
    assert.equal((await other.ask('SendMessage', sendOf(topic, 'again'))).status.code, 20_000)
    const begun = performance.now()
    assert.deepEqual(await received(other, topic, 'G_vanish'), ['again'])
    assert.ok(performance.now() - begun < 5000)
  })

  test('a push consumer that has left while its receive waited is given nothing, and nothing is renewed for it', async () => {
    const topic = 'Left'
    await admin.createTopic(topic, { queueNum: 1 })
    const leaving = caller('leaving')
    await leaving.settle(consumerOf(topic, 'G_left'))
    const open = await waiting(leaving, topic, 'G_left', { autoRenew: true })
    const left = await leaving.ask('NotifyClientTermination', { group: { name: 'G_left' } })
    assert.equal(left.status.code, 20_000)
    const other = caller('other')
    await other.ask('SendMessage', sendOf(topic, 'for another'))
    await open.ended
    assert.deepEqual(bodiesOf(open.answers), [])
    let got: string[] = []
    await until(async () => {
      got = await received(other, topic, 'G_left')
      return got.length > 0
    }, 12_000)
    assert.deepEqual(got, ['for another'])
  })

  test('what was written to a client that did not take it comes again soon', async () => {
    const topic = 'NotTaken'
    await admin.createTopic(topic, { queueNum: 1 })
    const other = caller('other')
    const body = 'x'.repeat(3_000_000)
    await other.ask('SendMessage', sendOf(topic, body))
    const lazy = caller('lazy')
    const open = lazy.open('ReceiveMessage', receiveOf(topic, 'G_taken'))
    open.stream.end()
    open.stream.pause()
    await new Promise(resolve => setTimeout(resolve, 500))
    assert.deepEqual(bodiesOf(open.answers), [])
    lazy.close()
    const begun = performance.now()
    let got: string[] = []
    await until(async () => {
      got = await received(other, topic, 'G_taken')
      return got.length > 0
    }, 12_000)
    assert.equal(got[0]?.length, body.length)
    assert.ok(performance.now() - begun < 6000)
  })
})
