import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Producer, PushConsumer } from '@skua-mq/client'
import { startDashboard } from '@skua-mq/dashboard'
import { endpoints } from '../../../packages/dashboard/src/endpoints.ts'
import { problemOf } from '../../../packages/dashboard/src/schema.ts'
import { get, noPage, post, query } from '../../../packages/dashboard/test/dash.ts'
import { until } from '../../../packages/skua/test/people/run.ts'
import { referenceVersions } from '../src/reference/jars.ts'
import { startReference } from '../src/reference/start.ts'
import { skipWithout } from '../src/toolchain.ts'

/** What RocketMQ's brokers have no request for: said in a sentence, with its code. */
const onlySkua = ['group/history']

for (const version of referenceVersions) {
  test(`every reading endpoint of the dashboard, a reset and a resend work before RocketMQ ${version}; what it cannot tell is said`, {
    skip: skipWithout('java'),
    timeout: 300_000,
  }, async () => {
    const reference = await startReference({
      version,
      conf: { enablePropertyFilter: 'true', messageDelayLevel: '1s 1h 1s 1h' },
    })
    const { namesrvAddr } = reference
    const producer = new Producer({ namesrvAddr, group: 'shop' })
    const from = { consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET', persistConsumerOffsetInterval: 200 } as const
    const billing = new PushConsumer({ namesrvAddr, group: 'billing', ...from })
    const ledger = new PushConsumer({ namesrvAddr, group: 'ledger', maxReconsumeTimes: 0, ...from })
    const listener = await startDashboard({ namesrvAddr, port: 0, page: noPage, sampleMs: 0 })
    try {
      let id = ''
      for (let i = 0; i < 20; i++)
        id = (await producer.send({ topic: 'Orders', body: `order ${i}`, tag: 'new', keys: [`k${i}`] })).msgId
      await producer.send({ topic: 'Payments', body: 'cannot be booked' })
      await producer.send({ topic: 'Reminders', body: 'later', delayLevel: 2 })
      let seen = 0
      billing.subscribe('Orders').onMessage(() => void seen++)
      ledger.subscribe('Payments').onMessage(() => 'RECONSUME_LATER')
      await Promise.all([billing.start(), ledger.start()])
      await until('consumed', async () => seen >= 20)
      const body = async (name: string, params = {}) =>
        (await get(listener, `/api/${name}?${query(params)}`)).body as never
      await until('a dead letter', async () =>
        (body('dead') as Promise<{ rows: { letters: number }[] }>).then(({ rows }) => rows[0]?.letters === 1),
      )
      // Apache's brokers make topics of dead letters that can only be written.
      const perm = { topic: '%DLQ%ledger', clusterName: 'DefaultCluster', perm: 6 }
      assert.equal((await post(listener, '/api/topic/perm', perm)).status, 200)
      type Overview = { brokers: { address: string; problem: string | null }[] }
      // A broker of 4.9 that has just begun refuses its figures: the list of its samples is empty.
      await until('its figures', async () => ((await body('overview')) as Overview).brokers[0]?.problem === null)
      const { brokers } = (await body('overview')) as Overview
      const { members } = (await body('group', { group: 'billing' })) as { members: { clientId: string }[] }
      await until(
        'its letters may be read',
        async () => ((await body('dead/letters', { group: 'ledger' })) as { rows?: unknown[] }).rows?.length === 1,
      )
      const { rows } = (await body('dead/letters', { group: 'ledger' })) as { rows: { row: { msgId: string } }[] }
      const params: Record<string, Record<string, string | number>> = {
        'topics/figures': { topics: 'Orders' },
        topic: { topic: 'Orders' },
        'groups/members': { groups: 'billing' },
        group: { group: 'billing' },
        'group/owners': { group: 'billing' },
        'group/ages': { group: 'billing', topic: 'Orders' },
        'group/member': { group: 'billing', clientId: members[0]!.clientId },
        'group/history': { group: 'billing' },
        messages: { topic: 'Orders', from: 'newest', limit: 5 },
        'messages/key': { topic: 'Orders', key: 'k3' },
        message: { id, topic: 'Orders' },
        'message/fates': { id, topic: 'Orders' },
        'message/tracks': { id, topic: 'Orders' },
        'message/trace': { id },
        'dead/letters': { group: 'ledger' },
        'dead/letter': { group: 'ledger', id: rows[0]!.row.msgId },
        broker: { address: brokers[0]!.address },
        'broker/clients': { address: brokers[0]!.address },
        'messages/scan': { topic: 'Orders', text: 'order 3' },
        'messages/export': { topic: 'Orders', limit: 2 },
      }
      for (const one of endpoints) {
        if (one.method !== 'GET' || one.name === 'tail') continue
        const got = await get(listener, `/api/${one.name}?${query(params[one.name] ?? {})}`)
        if (onlySkua.includes(one.name)) {
          assert.equal(got.status, 409, one.name)
          assert.match(got.text, /only Skua's do/)
          continue
        }
        assert.equal(got.status, 200, `${one.name}: ${got.text}`)
        if ('answer' in one) assert.equal(problemOf(one.answer as never, got.body, one.name), undefined)
        if ('lines' in one) assert.match(got.text, /\n\{"end":\{"reason":"limit","messages":2,[^\n]*\n$/)
        assert.doesNotMatch(got.text, /^event: problem/m, one.name)
      }
      const wish = { group: 'billing', topic: 'Orders', to: 'earliest', confirm: 'billing' }
      const reset = await post(listener, '/api/group/reset', wish)
      assert.equal(reset.status, 200, reset.text)
      const again = await post(listener, '/api/dead/resend', { group: 'ledger', all: 'yes' })
      assert.match(again.text, /"status":"SEND_OK"/)
    } finally {
      await Promise.all([producer.close(), billing.close(), ledger.close()])
      await listener.stop()
      await reference.stop()
    }
  })
}
