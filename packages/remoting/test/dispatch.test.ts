import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { queryConsumerOffset, ResponseCode, updateConsumerOffset } from '@skua-mq/protocol'
import { Failure } from '@skua-mq/runtime'
import { answer, noReply, ok, RemotingServer, type Route, refuse, route } from '../src/index.ts'
import { serve } from './hot-echo.ts'
import { ask } from './raw-peer.ts'

/** What each kind of outcome of a handler comes to at the peer, at once and after an await. */
async function outcomes(handle: () => unknown) {
  const routes = [
    route(queryConsumerOffset, (({ queueId }: { queueId: number }) =>
      queueId === 1 ? handle() : (async () => handle())()) as never),
  ]
  const { runtime, peer, told } = await serve({ routes })
  peer.socket.write([ask(1), ask(2)])
  await runtime.clock.advanceAsync(20)
  const failures = told.filter(({ name }) => name === 'request handler failed')
  return { replies: peer.replies, failures }
}

describe('a handler', () => {
  test('answers with the header of its table, a body, a remark and further fields', async () => {
    const { replies, failures } = await outcomes(() => ({
      ...answer(ResponseCode.flushDiskTimeout, { offset: 7 }, 'not yet'),
      body: Buffer.from('body'),
      extra: { MSG_REGION: 'here' },
    }))
    for (const { code, remark, extFields, body } of replies) {
      assert.deepEqual([code, remark, { ...extFields }], [10, 'not yet', { offset: '7', MSG_REGION: 'here' }])
      assert.equal(Buffer.from(body!).toString(), 'body')
    }
    assert.equal(replies.length, 2)
    assert.equal(failures.length, 0)
  })

  test('refuses with its code and remark, without a header', async () => {
    const { replies } = await outcomes(() => refuse(ResponseCode.queryNotFound, 'no offset is known'))
    assert.deepEqual(
      replies.map(({ code, remark, extFields }) => [code, remark, Object.keys(extFields).length]),
      [
        [22, 'no offset is known', 0],
        [22, 'no offset is known', 0],
      ],
    )
  })

  test('may leave a request without any answer', async () => {
    const { replies, failures } = await outcomes(() => noReply)
    assert.deepEqual([replies.length, failures.length], [0, 0])
  })

  test('that fails for what the sender wrote is no event; the text says why', async () => {
    for (const make of [
      () => new SyntaxError('Unexpected token'),
      () => new RangeError('offset 12 is outside of the body'),
    ]) {
      const { replies, failures } = await outcomes(() => {
        throw make()
      })
      assert.deepEqual(
        replies.map(({ code, remark }) => [code, remark]),
        [
          [1, make().message],
          [1, make().message],
        ],
      )
      assert.equal(failures.length, 0)
    }
  })

  test('that fails for IO names the code of the failure, and is an event', async () => {
    const { replies, failures } = await outcomes(() => {
      throw new Failure('ENOSPC', 'the disk is full')
    })
    assert.deepEqual(
      replies.map(({ code, remark }) => [code, remark]),
      [
        [1, 'ENOSPC: the disk is full'],
        [1, 'ENOSPC: the disk is full'],
      ],
    )
    assert.deepEqual(
      failures.map(({ fields }) => fields['code']),
      [14, 14],
    )
  })

  test('that throws what is no error is answered, too', async () => {
    const { replies, failures } = await outcomes(() => {
      throw 'just text'
    })
    assert.deepEqual(
      replies.map(({ code, remark }) => [code, remark]),
      [
        [1, 'just text'],
        [1, 'just text'],
      ],
    )
    assert.equal(failures.length, 2)
  })

  test('finds its request as it came, with an empty body where there was none', async () => {
    const seen: unknown[] = []
    const routes = [
      route(queryConsumerOffset, ({ consumerGroup, topic, queueId }, { command, body, connection }) => {
        seen.push([consumerGroup, topic, queueId, command.version, command.language, body.length, connection.open])
        return ok({ offset: 0 })
      }),
    ]
    const { runtime, peer } = await serve({ routes })
    peer.socket.write([ask(1, { version: 479, language: 5 }), ask(2, { body: Buffer.alloc(3) })])
    await runtime.clock.advanceAsync(20)
    assert.deepEqual(seen, [
      ['g', 't', 1, 479, 5, 0, true],
      ['g', 't', 2, 409, 0, 3, true],
    ])
  })
})

describe('answers', () => {
  test('of slow handlers overtake no opaque: each reply has the one of its request', async () => {
    const go: (() => void)[] = []
    const routes = [
      route(
        queryConsumerOffset,
        ({ queueId }) => new Promise(resolve => go.push(() => resolve(ok({ offset: queueId })))),
      ),
    ]
    const { runtime, peer } = await serve({ routes })
    peer.socket.write([ask(1), ask(2), ask(3)])
    await runtime.clock.advanceAsync(20)
    for (const one of [2, 0, 1]) {
      go[one]!()
      await runtime.clock.advanceAsync(20)
    }
    assert.deepEqual(
      peer.replies.map(({ opaque, extFields }) => [opaque, extFields['offset']]),
      [
        [3, '3'],
        [1, '1'],
        [2, '2'],
      ],
    )
  })

  test('go in the form of their request, with the language and version of the server', async () => {
    const { runtime, peer } = await serve({ routes: [route(queryConsumerOffset, () => ok({ offset: 1 }))] })
    peer.socket.write([
      ask(1, { form: 0, language: 9 }),
      ask(2, { form: 1, language: 9 }),
      ask(3, { code: 77, form: 1 }),
    ])
    await runtime.clock.advanceAsync(20)
    assert.deepEqual(
      peer.replies.map(({ form, language, version, flag }) => [form, language, version, flag & 1]),
      [
        [0, 0, 409, 1],
        [1, 0, 409, 1],
        [1, 0, 409, 1],
      ],
    )
  })

  test('to who is gone are no error', async () => {
    const go: (() => void)[] = []
    const routes = [route(queryConsumerOffset, () => new Promise(resolve => go.push(() => resolve(ok({ offset: 1 })))))]
    const { runtime, server, peer, told } = await serve({ routes })
    peer.socket.write([ask(1)])
    await runtime.clock.advanceAsync(20)
    peer.socket.destroy()
    await runtime.clock.advanceAsync(20)
    go[0]!()
    await runtime.clock.advanceAsync(20)
    assert.equal(server.connectionCount, 0)
    assert.equal(told.filter(({ level }) => level !== 'debug').length, 0)
  })
})

describe('what runs for a connection', () => {
  test('is on its account until it is answered: the request, its body, and what its answer may bring', async () => {
    const go: (() => void)[] = []
    const accounts: { running: number; reading: number }[] = []
    const read = { readBytes: 1_000_000 }
    const routes = [
      route(
        queryConsumerOffset,
        (_header, { connection }) => {
          const { account } = connection as unknown as { account: { running: number; reading: number } }
          accounts.push(account)
          return new Promise((resolve, reject) =>
            go.push(() => (go.length === 3 ? reject(new Error('broken')) : resolve(ok({ offset: 1 })))),
          )
        },
        read,
      ),
    ]
    const { runtime, peer } = await serve({ routes })
    peer.socket.write([ask(1, { body: Buffer.alloc(500) }), ask(2)])
    await runtime.clock.advanceAsync(20)
    const [account] = accounts
    assert.deepEqual([account!.running, account!.reading], [2, 2_000_500])
    go[0]!()
    await runtime.clock.advanceAsync(20)
    assert.deepEqual([account!.running, account!.reading], [1, 1_000_000])
    peer.socket.write([ask(3)])
    await runtime.clock.advanceAsync(20)
    assert.equal(account!.running, 2)
    // One of them fails.
    go[1]!()
    go[2]!()
    await runtime.clock.advanceAsync(20)
    assert.deepEqual([account!.running, account!.reading], [0, 0])
    assert.equal(peer.replies.length, 3)
  })

  test('is on none where its code is unknown, or its header does not read', async () => {
    const routes = [route(updateConsumerOffset, () => ok({}))]
    const { runtime, peer } = await serve({ routes, limits: { maxRunningRequests: 1 } })
    peer.socket.write([
      ask(1, { code: 4711 }),
      ask(2, { code: updateConsumerOffset.code, extFields: {} }),
      ask(3, { code: 4711 }),
      ask(4, {
        code: updateConsumerOffset.code,
        extFields: { consumerGroup: 'g', topic: 't', queueId: 'two', commitOffset: '1' },
      }),
      ask(5, {
        code: updateConsumerOffset.code,
        extFields: { consumerGroup: 'g', topic: 't', queueId: '2', commitOffset: '1' },
      }),
    ])
    await runtime.clock.advanceAsync(50)
    assert.deepEqual(
      peer.replies.map(({ opaque, code }) => [opaque, code]),
      [
        [1, 3],
        [2, 1],
        [3, 3],
        [4, 1],
        [5, 0],
      ],
    )
    assert.match(peer.replies[3]!.remark!, /queueId/)
  })
})

test('two handlers for one request are refused when the server is made, and the code is named', async () => {
  const twice: Route[] = [
    route(queryConsumerOffset, () => ok({ offset: 1 })),
    route(queryConsumerOffset, () => noReply),
  ]
  await assert.rejects(serve({ routes: twice }), /two handlers for request code 14/)
  assert.equal(typeof RemotingServer, 'function')
})
