import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { EtcdRegistry, MemoryRegistry, type Registry } from '@skua-mq/broker'
import { NodeClock, postJson } from '@skua-mq/runtime'
import { Etcd, withoutEtcd } from './etcd.ts'

const sleep = (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms))
const values = async (registry: Registry) =>
  Object.fromEntries([...(await registry.read())].map(([key, { value }]) => [key, value]))

/** What the election counts on, of each registry; `fresh` gives one without anything. */
function promises(fresh: () => Registry): void {
  test('what is written is read, with revisions that grow, and what belongs to a session goes with it', async () => {
    const registry = fresh()
    const session = await registry.open(2000)
    assert.ok(await session.write({ when: {}, put: { a: '1' }, putForSession: { 'b/x': 'äö' } }))
    const first = (await registry.read()).get('a')!.revision
    assert.ok(await session.write({ when: { a: first }, put: { a: '2' } }))
    assert.ok((await registry.read()).get('a')!.revision > first, 'the revision has grown')
    assert.deepEqual(await values(registry), { a: '2', 'b/x': 'äö' })
    await session.close()
    assert.deepEqual(await values(registry), { a: '2' })
  })

  test('a write whose condition does not hold changes nothing, and 0 stands for a key without a value', async () => {
    const registry = fresh()
    const session = await registry.open(2000)
    assert.equal(await session.write({ when: { a: 0 }, put: { a: '1', b: '1' } }), true)
    assert.equal(await session.write({ when: { a: 0 }, put: { a: '2', b: '2' } }), false)
    const { revision } = (await registry.read()).get('a')!
    assert.equal(await session.write({ when: { a: revision, c: 0 }, put: { b: '3' }, putForSession: { a: '3' } }), true)
    assert.equal(await session.write({ when: { a: revision }, put: { b: '4' } }), false)
    assert.deepEqual(await values(registry), { a: '3', b: '3' })
    await session.close()
  })

  test('a session that is not renewed ends, and neither lasts nor writes any more', async () => {
    const registry = fresh()
    const [kept, lost] = [await registry.open(2000), await registry.open(2000)]
    assert.ok(await lost.write({ when: {}, putForSession: { lost: '1' } }))
    assert.ok(await kept.write({ when: {}, putForSession: { kept: '1' } }))
    const until = performance.now() + 15_000
    while ((await registry.read()).has('lost')) {
      assert.ok(performance.now() < until, 'a session that nobody renews ends')
      assert.ok(await kept.renew(), 'a session that is renewed lasts')
      await sleep(300)
    }
    assert.deepEqual(await values(registry), { kept: '1' })
    assert.equal(await lost.renew(), false)
    assert.equal(await lost.write({ when: {}, putForSession: { lost: '2' } }), false)
    await kept.close()
  })
}

describe('a registry in memory', () => {
  promises(() => new MemoryRegistry(new NodeClock()).view())
})

const missing = withoutEtcd()
describe('a registry in etcd', { skip: missing ?? false }, () => {
  let etcd: Etcd
  let count = 0
  before(async () => {
    etcd = await Etcd.start()
  })
  after(() => etcd.stop())
  const post = (url: string, body: unknown) => postJson(url, body, { timeoutMs: 500 })
  const at = (endpoints: readonly string[], prefix = `/skua/C/b-${count++}/`) =>
    new EtcdRegistry({ endpoints, prefix, post })

  promises(() => at([etcd.endpoint]))

  test('names of which one begins with the other see nothing of each other', async () => {
    const [one, other] = [at([etcd.endpoint], '/skua/C/broker/'), at([etcd.endpoint], '/skua/C/broker-a/')]
    const session = await other.open(2000)
    await session.write({ when: {}, put: { master: 'x' } })
    assert.deepEqual(await values(one), {})
    await session.close()
  })

  test('an endpoint where nobody listens is passed over; one that stands still is not waited for', async () => {
    const registry = at(['http://127.0.0.1:1', etcd.endpoint])
    const session = await registry.open(2000)
    assert.ok(await session.write({ when: {}, put: { a: '1' } }))
    etcd.signal('SIGSTOP')
    try {
      // Threads of it that have a processor go on for a moment.
      const answered = async () => {
        for (;;) await registry.read()
      }
      const begun = performance.now()
      await assert.rejects(answered(), /127\.0\.0\.1/)
      assert.ok(performance.now() - begun < 3000, 'it gives up in time')
    } finally {
      etcd.signal('SIGCONT')
    }
    assert.deepEqual(await values(registry), { a: '1' })
  })

  test('an error within an answer that has the status 200, as those of streams have it, ends no session', async () => {
    const ill = 'http://ill'
    const error = {
      grpc_code: 14,
      http_code: 503,
      message: 'etcdserver: no leader',
      http_status: 'Service Unavailable',
    }
    let isIll = false
    const registry = new EtcdRegistry({
      endpoints: [ill],
      prefix: `/skua/C/b-${count++}/`,
      post: async (url, body) =>
        isIll ? { status: 200, json: { error } } : post(url.replace(ill, etcd.endpoint), body),
    })
    const session = await registry.open(2000)
    isIll = true
    await assert.rejects(session.renew(), /lease\/keepalive with status 200: etcdserver: no leader/)
    isIll = false
    assert.ok(await session.renew())
    await session.close()
  })

  test('a lease that a former leader has renewed is none: what another one answers since says so', async () => {
    const place = 'http://some'
    let behind = 0
    const registry = new EtcdRegistry({
      endpoints: [place],
      prefix: `/skua/C/b-${count++}/`,
      post: async (url, body) => {
        const { status, json } = await post(url.replace(place, etcd.endpoint), body)
        const { result } = json as { result?: { header: { raft_term: string } } }
        if (result !== undefined) result.header.raft_term = String(Number(result.header.raft_term) - behind)
        return { status, json }
      },
    })
    const session = await registry.open(2000)
    assert.ok(await session.renew())
    await registry.read()
    behind = 1
    assert.ok(await session.renew())
    await assert.rejects(registry.read(), /another member of etcd has become the leader/)
    behind = 0
    assert.ok(await session.renew())
    await registry.read()
    await session.close()
  })

  test('where somebody else writes so many keys that not all of them are read, nothing is taken for missing', async () => {
    const prefix = `/skua/C/b-${count++}/`
    const registry = at([etcd.endpoint], prefix)
    const session = await registry.open(2000)
    for (let block = 0; block < 10; block++) {
      const put = Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`a/${block}/${i}`, '1']))
      assert.ok(await session.write({ when: {}, put }))
    }
    await assert.rejects(registry.read(), /more than 1000 keys/)
    await session.close()
  })
})
