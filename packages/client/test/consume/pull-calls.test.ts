import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ResponseCode } from '@skua-mq/protocol'
import { type PullCall, PullCalls } from '../../src/consume/pull-calls.ts'
import { Subscriptions } from '../../src/consume/subscriptions.ts'
import type { ClientInstance } from '../../src/instance/client-instance.ts'

const queue = { topic: 'T', brokerName: 'b', queueId: 0 }

const subscriptions = new Subscriptions()
subscriptions.set('T', { expression: 'A', subVersion: 77 })
subscriptions.set('S', { expression: 'a > 1', type: 'SQL92', subVersion: 78 })

interface Asked {
  readonly address: string
  readonly code: number
  readonly header: Record<string, unknown>
}

/** A broker with a master and a slave; answers suggest the id that the test says. */
function broker(addresses: Record<number, string> = { 0: 'master', 1: 'slave' }) {
  const asked: Asked[] = []
  const script = {
    suggest: 0,
    code: ResponseCode.pullNotFound as number,
    knowsLite: true,
    refreshed: 0,
    offsetDelta: undefined as number | undefined,
  }
  const instance = {
    routes: {
      anyOf: (_name: string, id: number) => {
        const found = addresses[id] ?? addresses[0] ?? Object.values(addresses)[0]
        return found === undefined ? undefined : { address: found, brokerId: addresses[id] === undefined ? 0 : id }
      },
      refresh: async () => void script.refreshed++,
    },
    calls: {
      ask: async (address: string, { spec, header }: { spec: { code: number }; header: Record<string, unknown> }) => {
        asked.push({ address, code: spec.code, header })
        if (spec.code === 361 && !script.knowsLite) return { code: ResponseCode.requestCodeNotSupported, header: {} }
        return {
          code: script.code,
          body: script.code === 0 ? Buffer.from('bytes') : undefined,
          header: {
            suggestWhichBrokerId: script.suggest,
            nextBeginOffset: 5,
            minOffset: 1,
            maxOffset: 9,
            offsetDelta: script.offsetDelta,
          },
        }
      },
    },
  } as unknown as ClientInstance
  return { asked, script, pulls: new PullCalls(instance), addresses }
}

const call = (changes: Partial<PullCall> = {}): PullCall => ({
  group: 'g',
  queue,
  offset: 3,
  maxMsgNums: 32,
  subscription: subscriptions.get('T')!,
  sendSubscription: false,
  suspendMs: 15_000,
  timeoutMs: 30_000,
  ...changes,
})

const flags = ({ header }: Asked) => {
  const flag = header['sysFlag'] as number
  return {
    commit: (flag & 1) !== 0,
    suspend: (flag & 2) !== 0,
    subscription: (flag & 4) !== 0,
    lite: (flag & 16) !== 0,
  }
}

describe('a pull', () => {
  test('says what it wants', async () => {
    const { pulls, asked } = broker()
    await pulls.pull(call({ commitOffset: 2 }))
    assert.deepEqual(asked[0]!.header, {
      consumerGroup: 'g',
      topic: 'T',
      queueId: 0,
      queueOffset: 3,
      maxMsgNums: 32,
      sysFlag: 3,
      commitOffset: 2,
      suspendTimeoutMillis: 15_000,
      subscription: undefined,
      subVersion: 77,
      expressionType: 'TAG',
      bname: 'b',
    })
  })

  test('has a flag for each wish', async () => {
    const { pulls, asked } = broker()
    const none = { commit: false, suspend: false, subscription: false, lite: false }
    for (const [changes, expected] of [
      [{ suspendMs: 0 }, none],
      [{}, { ...none, suspend: true }],
      [{ commitOffset: 0 }, { ...none, suspend: true, commit: true }],
      [
        { suspendMs: 0, sendSubscription: true },
        { ...none, subscription: true },
      ],
      [
        { suspendMs: 0, litePull: true },
        { ...none, lite: true },
      ],
    ] as const) {
      await pulls.pull(call(changes))
      assert.deepEqual(flags(asked.at(-1)!), expected)
    }
  })

  test('takes the expression along where it is wished', async () => {
    const { pulls, asked } = broker()
    await pulls.pull(call({ subscription: subscriptions.get('S')!, sendSubscription: true }))
    const { subscription, expressionType } = asked[0]!.header
    assert.deepEqual([subscription, expressionType], ['a > 1', 'SQL92'])
  })

  test('is answered by codes that are no refusals', async () => {
    const { pulls, script } = broker()
    for (const [code, status] of [
      [ResponseCode.success, 'FOUND'],
      [ResponseCode.pullNotFound, 'NO_NEW_MSG'],
      [ResponseCode.pullRetryImmediately, 'NO_MATCHED_MSG'],
      [ResponseCode.pullOffsetMoved, 'OFFSET_ILLEGAL'],
    ] as const) {
      script.code = code
      const answer = await pulls.pull(call())
      assert.deepEqual(
        [
          answer.status,
          answer.nextBeginOffset,
          answer.minOffset,
          answer.maxOffset,
          answer.bytes.length,
          answer.offsetDelta,
        ],
        [status, 5, 1, 9, code === 0 ? 5 : 0, 0],
      )
    }
    script.offsetDelta = 1000
    assert.equal((await pulls.pull(call())).offsetDelta, 1000)
  })
})

describe('the broker that is asked', () => {
  test('is the one that the last answer for the queue suggested', async () => {
    const { pulls, asked, script } = broker()
    script.suggest = 1
    await pulls.pull(call())
    await pulls.pull(call())
    await pulls.pull(call({ queue: { ...queue, queueId: 1 } }))
    script.suggest = 0
    await pulls.pull(call())
    await pulls.pull(call())
    assert.deepEqual(
      asked.map(({ address }) => address),
      ['master', 'slave', 'master', 'slave', 'master'],
    )
  })

  test('is the master again when the queue was given up meanwhile', async () => {
    const { pulls, asked, script } = broker()
    script.suggest = 1
    await pulls.pull(call())
    pulls.forget(queue)
    await pulls.pull(call())
    assert.deepEqual(
      asked.map(({ address }) => address),
      ['master', 'master'],
    )
  })

  test('is asked to commit only where it is the master', async () => {
    const { pulls, asked, script } = broker()
    script.suggest = 1
    await pulls.pull(call({ commitOffset: 2 }))
    await pulls.pull(call({ commitOffset: 2 }))
    assert.deepEqual(
      asked.map(one => flags(one).commit),
      [true, false],
    )
  })

  test('is the master where the suggested slave is gone', async () => {
    const { pulls, asked, script, addresses } = broker()
    script.suggest = 1
    await pulls.pull(call())
    delete addresses[1]
    await pulls.pull(call())
    assert.equal(asked.at(-1)!.address, 'master')
  })

  test('is looked for once more where no route has it, and is an error then', async () => {
    const { pulls, script } = broker({})
    await assert.rejects(pulls.pull(call()), { code: 'NO_BROKER', retriable: true, message: /is in no route/ })
    assert.equal(script.refreshed, 1)
  })
})

describe('a lite pull', () => {
  test('is asked by 361; of a broker that does not know it by 11, from then on', async () => {
    const { pulls, asked, script } = broker()
    await pulls.pull(call({ litePull: true }))
    script.knowsLite = false
    await pulls.pull(call({ litePull: true }))
    await pulls.pull(call({ litePull: true }))
    assert.deepEqual(
      asked.map(({ code }) => code),
      [361, 361, 11, 11],
    )
    for (const one of asked) assert.equal(flags(one).lite, true)
  })
})
