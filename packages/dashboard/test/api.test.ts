import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { connect, groupProgress, messagesByKey, topicStats } from '@skua-mq/admin'
import { NodeClock, nodeRuntime, SimClock } from '@skua-mq/runtime'
import { SharedAnswers } from '../src/cache.ts'
import { maxRequests } from '../src/dashboard.ts'
import { endpoints } from '../src/endpoints.ts'
import { createDashboard } from '../src/index.ts'
import { openApi } from '../src/openapi.ts'
import { dash, eventsOf, type Got, get, linesOf, noPage, post, query } from './dash.ts'
import { startDemo } from './demo.ts'
import { violations } from './json-schema.ts'

const demo = await startDemo()
const { namesrvAddr, brokerAddr, orders } = demo
const listener = await dash({ namesrvAddr, clusters: undefined, sampleMs: 50 })
const session = connect({ namesrvAddr })
after(async () => {
  await listener.stop()
  await session.close()
  await demo.stop()
})

interface Operation {
  readonly responses: { readonly 200: { readonly content: Readonly<Record<string, { readonly schema: never }>> } }
  readonly parameters?: readonly { readonly name: string; readonly required: boolean }[]
}
const document = openApi() as unknown as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}
const asked = new Set<string>()

/** Whatever is answered is held against the document. */
function judged(name: string, method: 'get' | 'post', got: Got): Got {
  asked.add(name)
  assert.equal(got.status, 200, `${name}: ${got.text}`)
  const { content } = document.paths[`/api/${name}`]![method]!.responses[200]
  const [[type, { schema }]] = Object.entries(content) as [[string, { schema: never }]]
  assert.match(String(got.headers['content-type']), new RegExp(`^${type}`), name)
  if (type === 'application/x-ndjson')
    for (const line of linesOf(got.text)) assert.deepEqual(violations(schema, line as never), [], name)
  else if (type === 'application/json') assert.deepEqual(violations(schema, got.body), [], name)
  else
    for (const { kind, data } of eventsOf(got.text))
      if (kind !== 'done') assert.deepEqual([kind, violations(schema, data)], ['data', []], name)
  return got
}

const look = async (name: string, params: Readonly<Record<string, string | number>> = {}) =>
  judged(name, 'get', await get(listener, `/api/${name}?${query(params)}`))
const act = async (name: string, params: object) => judged(name, 'post', await post(listener, `/api/${name}`, params))
/** What the dashboard shares for a moment is old news: a changed cluster is asked anew. */
async function until(what: string, is: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (await is()) return
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  throw new Error(`never ${what}`)
}
/** What a test reads of an answer. */
// biome-ignore lint/suspicious/noExplicitAny: the document has judged it; tests read members by name
const body = async (got: Promise<Got>): Promise<any> => (await got).body
const problemOf = (got: Got) => (got.body as unknown as { error: { code: string; message: string } }).error

test('overview, lags, history, names, changes and the doctor', async () => {
  const { brokers, topics } = await body(look('overview'))
  assert.deepEqual([brokers.length, brokers[0].brokerName, brokers[0].problem], [1, 'broker-a', null])
  assert.ok(topics >= 3)
  const { largest, lag } = await body(look('lags'))
  assert.deepEqual([largest[0].group, largest[0].lag, lag], ['stock', 30, 30])
  assert.ok((await body(look('names'))).groups.includes('billing'))
  await look('doctor')
  await look('changes')
  while ((await body(look('history'))).samples.length < 2) await new Promise(resolve => setTimeout(resolve, 20))
})

test('topics: list, figures, one; made, changed, shut and deleted', async () => {
  const { rows } = await body(look('topics'))
  const kinds = new Map(rows.map(({ topic, kind }: { topic: string; kind: string }) => [topic, kind]))
  assert.deepEqual(
    ['Orders', '%RETRY%stock', '%DLQ%ledger', 'TBW102'].map(name => kinds.get(name)),
    ['user', 'retry', 'dead', 'own'],
  )
  const figures = await body(look('topics/figures', { topics: 'Orders,Payments' }))
  assert.deepEqual(
    figures.rows.map(({ messages }: { messages: number }) => messages),
    [60, 2],
  )
  const one = await body(look('topic', { topic: 'Orders' }))
  assert.deepEqual([one.queues.length, one.groups], [4, ['billing', 'stock']])
  const made = { topic: 'Made', clusterName: 'DefaultCluster', readQueueNums: 3, writeQueueNums: 3, perm: 6 }
  await act('topic/put', made)
  assert.equal((await topicStats(session, 'Made')).length, 3)
  await act('topic/put', { ...made, writeQueueNums: 5, readQueueNums: 5 })
  assert.equal((await body(look('topic', { topic: 'Made' }))).configs[0].writeQueueNums, 5)
  const { changed } = await body(act('topic/perm', { topic: 'Made', clusterName: 'DefaultCluster', perm: 4 }))
  assert.deepEqual([changed[0].before, changed[0].after], [6, 4])
  const unsure = await post(listener, '/api/topic/delete', {
    topic: 'Made',
    clusterName: 'DefaultCluster',
    confirm: 'Mad',
  })
  assert.deepEqual([unsure.status, problemOf(unsure).code], [400, 'CONFIRM'])
  await act('topic/delete', { topic: 'Made', clusterName: 'DefaultCluster', confirm: 'Made' })
  assert.equal((await get(listener, '/api/topic?topic=Made')).status, 404)
})

test('groups: list with lag, members, one, its owners, ages, a member, and settings', async () => {
  const { rows } = await body(look('groups'))
  assert.equal(rows.find(({ group }: { group: string }) => group === 'stock').lag, 30)
  const { rows: members } = await body(look('groups/members', { groups: 'billing,stock' }))
  assert.deepEqual(
    members.map((row: { members: number }) => row.members),
    [1, 0],
  )
  const one = await body(look('group', { group: 'billing' }))
  assert.deepEqual([one.isOnline, one.lag, one.members.length], [true, 0, 1])
  const { clientId } = one.members[0]
  const { owners } = await body(look('group/owners', { group: 'billing' }))
  assert.equal(owners['Orders\nbroker-a\n0'], clientId)
  await look('group/ages', { group: 'stock', topic: 'Orders' })
  const member = await body(look('group/member', { group: 'billing', clientId }))
  assert.equal(member.queues.filter(({ topic }: { topic: string }) => topic === 'Orders').length, 4)
  await act('group/put', { group: 'made', clusterName: 'DefaultCluster', retryMaxTimes: 3 })
  await act('group/put', { group: 'made', clusterName: 'DefaultCluster', consumeEnable: false })
  const { configs } = await body(look('group', { group: 'made' }))
  assert.deepEqual([configs[0].settings.retryMaxTimes, configs[0].settings.consumeEnable], ['3', 'false'])
  await act('group/delete', { group: 'made', clusterName: 'DefaultCluster', confirm: 'made' })
  const online = await post(listener, '/api/group/delete', {
    group: 'billing',
    clusterName: 'DefaultCluster',
    confirm: 'billing',
  })
  assert.deepEqual([online.status, problemOf(online).code], [409, 'ONLINE'])
})

test('offsets: a preview says what is consumed again and what never, a reset does it, the history undoes it', async () => {
  const lag = async () => (await groupProgress(session, 'stock', 'Orders')).diffTotal
  const wish = { group: 'stock', topic: 'Orders' }
  const plan = await body(act('group/preview', { ...wish, to: 'earliest' }))
  assert.deepEqual([plan.again, plan.skipped, plan.members, await lag()], [30, 0, 0, 30])
  assert.equal((await body(act('group/reset', { ...wish, to: 'earliest', confirm: 'stock' }))).by, 'commit')
  assert.equal(await lag(), 60)
  const { rows } = await body(look('group/history', { group: 'stock' }))
  assert.ok(rows.length >= 4)
  const shown = await body(act('group/undo', { group: 'stock', dryRun: 'yes' }))
  assert.equal(shown.by, 'planned')
  const other = await post(listener, '/api/group/undo', { group: 'stock', atMs: shown.atMs - 1 })
  assert.deepEqual([other.status, (other.body as { error?: { code: string } }).error?.code], [409, 'MOVED'])
  assert.equal(await lag(), 60)
  await act('group/undo', { group: 'stock', atMs: shown.atMs })
  assert.equal(await lag(), 30)
  const own = await body(
    act('group/preview', { ...wish, to: 'queues', queues: [{ brokerName: 'broker-a', queueId: 1, offset: 2 }] }),
  )
  assert.deepEqual([own.queues.length, own.queues[0].to], [1, 2])
  assert.equal((await body(act('group/preview', { ...wish, to: 'latest' }))).skipped, 30)
  assert.equal((await body(act('group/preview', { ...wish, to: 'time', timeMs: 1 }))).again, 30)
  assert.equal((await body(act('group/preview', { ...wish, to: 'group', otherGroup: 'billing' }))).skipped, 30)
  const running = { group: 'billing', topic: 'Orders', to: 'offset', offset: 1, confirm: 'billing' }
  const refused = await post(listener, '/api/group/reset', running)
  assert.equal(refused.status, 400)
  assert.match(problemOf(refused).message, /members of billing are online/)
})

test('messages: newest first page by page, from a time and an offset, by key and text; nothing is left out', async () => {
  const seen: string[] = []
  let cursor: string | undefined
  for (;;) {
    const page = await body(
      look('messages', { topic: 'Orders', from: 'newest', limit: 7, ...(cursor === undefined ? {} : { cursor }) }),
    )
    seen.push(...page.rows.map(({ msgId }: { msgId: string }) => msgId))
    if (page.isEnd) break
    cursor = JSON.stringify(page.cursor)
  }
  const stored = new Map<string, number>()
  for (const { msgId, storedAtMs } of (await body(look('messages', { topic: 'Orders', from: 'oldest', limit: 200 })))
    .rows)
    stored.set(msgId, storedAtMs)
  assert.deepEqual([...seen].sort(), [...orders].sort())
  const times = seen.map(id => stored.get(id)!)
  assert.deepEqual(
    times,
    [...times].sort((a, b) => b - a),
  )
  const tenth = [...stored.values()].sort((a, b) => a - b)[10]!
  const later = await body(look('messages', { topic: 'Orders', from: 'time', timeMs: tenth, limit: 200 }))
  assert.equal(later.rows.length, times.filter(ms => ms >= tenth).length)
  const at = await body(
    look('messages', { topic: 'Orders', from: 'offset', offset: 14, broker: 'broker-a', queueId: 2 }),
  )
  assert.deepEqual(
    at.rows.map(({ queueOffset }: { queueOffset: number }) => queueOffset),
    [14],
  )
  const { rows } = await body(look('messages/key', { topic: 'Orders', key: 'order-1004' }))
  assert.deepEqual(
    rows.map(({ msgId }: { msgId: string }) => msgId),
    [orders[4]],
  )
  const scan = eventsOf((await look('messages/scan', { topic: 'Orders', text: '"order":1007' })).text)
  const found = scan.flatMap(({ kind, data }) =>
    kind === 'data' ? (data as { found: { msgId: string }[] }).found : [],
  )
  assert.deepEqual(
    found.map(({ msgId }) => msgId),
    [orders[7]],
  )
  const lines = linesOf((await look('messages/export', { topic: 'Orders' })).text)
  const end = { reason: 'all', messages: 60, unreadable: 0, problem: null }
  assert.deepEqual([lines.length, lines.at(-1)], [61, { end }])
})

test('a message: whole, what each group made of it, its tracks and trace, consumed once more', async () => {
  const id = orders[40]!
  const { message } = await body(look('message', { id, topic: 'Orders' }))
  assert.equal(JSON.parse(message.body.content).order, 1040)
  assert.equal(message.properties.region, 'eu')
  assert.equal((await body(look('message', { id: message.row.offsetMsgId }))).message.row.msgId, id)
  const { rows } = await body(look('message/fates', { id, topic: 'Orders' }))
  assert.deepEqual(
    rows.map(({ group, state }: { group: string; state: string }) => [group, state]),
    [
      ['billing', 'CONSUMED_OR_SKIPPED'],
      ['stock', 'NO_MEMBER'],
    ],
  )
  await look('message/tracks', { id, topic: 'Orders' })
  await look('message/trace', { id })
  const { members } = await body(look('group', { group: 'billing' }))
  const again = {
    group: 'billing',
    clientId: members[0].clientId,
    offsetMsgId: message.row.offsetMsgId,
    topic: 'Orders',
  }
  assert.equal((await body(act('message/consume', again))).result, 'CR_SUCCESS')
  const gone = await get(listener, `/api/message?${query({ id: 'ABCDEF'.repeat(6).slice(0, 32), topic: 'Orders' })}`)
  assert.deepEqual([gone.status, problemOf(gone).code], [404, 'NOT_FOUND'])
})

test('dead letters: found by any id, resent one by one with a result each, and changed before', async () => {
  const { rows } = await body(look('dead'))
  assert.deepEqual([rows[0].group, rows[0].letters], ['ledger', 2])
  const list = await body(look('dead/letters', { group: 'ledger' }))
  assert.deepEqual(
    list.rows.map(({ originTopic }: { originTopic: string }) => originTopic),
    ['Payments', 'Payments'],
  )
  const { offsetMsgId, msgId } = list.rows[0].row
  for (const id of [offsetMsgId, msgId])
    assert.equal((await body(look('dead/letter', { group: 'ledger', id }))).message.row.msgId, msgId)
  const changed = {
    group: 'ledger',
    ids: [offsetMsgId],
    body: 'booked by hand',
    properties: { KEYS: 'payment-3', by: 'ada' },
  }
  const events = eventsOf((await act('dead/resend', changed)).text)
  assert.deepEqual([events.length, (events[0]!.data as { status: string }).status], [2, 'SEND_OK'])
  const [sent] = await messagesByKey(session, { topic: 'Payments', key: 'payment-3' })
  assert.deepEqual([sent!.body.toString(), sent!.properties['by']], ['booked by hand', 'ada'])
  const both = eventsOf((await act('dead/resend', { group: 'ledger', ids: [msgId, 'nothing'] })).text)
  assert.deepEqual(
    both.map(({ kind, data }) => [kind, (data as { status?: string }).status]),
    [
      ['data', 'SEND_OK'],
      ['data', 'NOT_FOUND'],
      ['done', undefined],
    ],
  )
  await act('dead/resend', { group: 'ledger', all: 'yes', rate: 1000 })
})

test('delayed and half messages: one is taken back, one is committed', async () => {
  const timers = async () => (await body(look('delayed'))).rows.filter((row: { by: string }) => row.by === 'timer')
  const { rows } = await body(look('delayed'))
  assert.equal(rows.filter((row: { topic: string }) => row.topic === 'Reminders').length, 2)
  const [timer] = await timers()
  const { topic, brokerName: at, msgId, offsetMsgId, dueMs } = timer
  assert.equal((await body(look('message', { id: offsetMsgId }))).message.row.msgId, msgId)
  const later = dueMs + 600_000
  await act('delayed/move', { topic, id: msgId, deliverAtMs: later })
  await until('moved', async () => (await timers())[0]?.dueMs === later)
  await act('delayed/cancel', { topic, broker: at, id: msgId, dueMs: later })
  await until('taken back', async () => (await timers()).length === 0)
  const [half] = (await body(look('halves'))).rows
  const { brokerName: broker, producerGroup, msgId: id, halfOffset, physicalOffset } = half
  await act('halves/decide', { broker, producerGroup, id, halfOffset, physicalOffset, decision: 'commit' })
  assert.equal((await body(look('halves'))).total, 0)
  const { rows: receipts } = await body(look('messages', { topic: 'Receipts', from: 'newest' }))
  assert.deepEqual(
    receipts.map(({ preview }: { preview: string }) => preview),
    ['half'],
  )
})

test('sent: with a tag, keys, properties, a key of its order; what ends names on the wire is refused', async () => {
  const sent = await body(
    act('send', {
      topic: 'Payments',
      body: 'hello',
      tags: 'card',
      keys: 'k1 k2',
      properties: { a: 'b' },
      orderKey: 'c1',
    }),
  )
  const [found] = await messagesByKey(session, { topic: 'Payments', key: 'k2' })
  assert.deepEqual(
    [found!.msgId, found!.tags, found!.properties['a'], found!.queueId],
    [sent.msgId, 'card', 'b', sent.queueId],
  )
  for (const given of [{ tags: 'a\u0002b' }, { properties: { 'a\u0001b': 'c' } }, { keys: 'a\u0002TAGS\u0001x' }]) {
    const got = await post(listener, '/api/send', { topic: 'Payments', body: 'x', ...given })
    assert.deepEqual([got.status, problemOf(got).code], [400, 'ARGUMENT'])
  }
})

test('a broker: settings with their defaults, one changed at once, maintenance, clients; name servers and access control', async () => {
  const one = await body(look('broker', { address: brokerAddr }))
  const setting = (name: string) => one.settings.find((row: { name: string }) => row.name === name)
  assert.deepEqual(
    [
      setting('enablePropertyFilter').isStandard,
      setting('enablePropertyFilter').standard,
      setting('fileReservedTime').isLive,
    ],
    [false, 'false', true],
  )
  const { rows } = await body(act('broker/set', { address: brokerAddr, settings: { fileReservedTime: '71' } }))
  assert.deepEqual(rows, [{ name: 'fileReservedTime', before: '72', after: '71' }])
  for (const what of ['consumeQueues', 'unusedTopics', 'commitLog'])
    await act('broker/clean', { address: brokerAddr, what })
  for (const allow of [false, true]) await act('broker/write', { broker: 'broker-a', allow })
  assert.equal((await body(look('broker/clients', { address: brokerAddr }))).rows[0].group, 'shop')
  assert.equal((await body(look('name-servers'))).rows[0].brokers[0].name, 'broker-a')
  assert.equal((await body(look('access'))).brokers[0].enabled, false)
})

test('live: what is sent while somebody looks comes by; who leaves ends it', async () => {
  const gone = new AbortController()
  const response = await fetch(`${listener.url}api/tail?topic=Orders&tags=live`, { signal: gone.signal })
  asked.add('tail')
  let text = ''
  const reading = (async () => {
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk
      if (eventsOf(text).length === 1) await demo.producer.send({ topic: 'Orders', body: 'left out', tag: 'other' })
      if (eventsOf(text).length === 1) await demo.producer.send({ topic: 'Orders', body: 'seen', tag: 'live' })
      if (text.includes('"seen"')) break
    }
  })()
  await reading
  gone.abort()
  assert.doesNotMatch(text, /left out/)
  const sql = await get(listener, `/api/tail?${query({ topic: 'Orders', sql: 'a > 1', tags: 'b' })}`)
  assert.equal(eventsOf(sql.text).at(-1)!.kind, 'problem')
})

test('every endpoint was asked by these tests, has one operation in the document, and its required parameters', () => {
  assert.deepEqual(
    endpoints.map(({ name }) => name).filter(name => !asked.has(name)),
    [],
  )
  assert.equal(new Set(endpoints.map(({ name }) => name)).size, endpoints.length)
  assert.deepEqual(Object.keys(document.paths).sort(), endpoints.map(({ name }) => `/api/${name}`).sort())
  for (const { name, method, params } of endpoints) {
    if (method !== 'GET') continue
    const said = document.paths[`/api/${name}`]!['get']!.parameters!
    assert.deepEqual(said.map(one => one.name).sort(), [...Object.keys(params), 'cluster'].sort(), name)
  }
})

test('what is wrong with a question is told: the parameter, the method, the cluster, a name that is not there', async () => {
  for (const [path, status, code, says] of [
    ['/api/topic', 400, 'ARGUMENT', /topic is missing/],
    ['/api/topic?topic=', 400, 'ARGUMENT', /topic: something is wanted/],
    ['/api/messages?topic=T&from=middle', 400, 'ARGUMENT', /one of newest, oldest/],
    ['/api/messages?topic=T&from=newest&limit=201', 400, 'ARGUMENT', /1 to 200/],
    ['/api/messages?topic=T&from=newest&colour=red', 400, 'ARGUMENT', /takes no colour/],
    [`/api/topic?topic=${'x'.repeat(301)}`, 400, 'ARGUMENT', /301 characters, 300/],
    ['/api/overview?cluster=other', 404, 'CLUSTER', /no cluster other/],
    ['/api/nothing', 404, 'NO_SUCH_ENDPOINT', /openapi/],
    ['/api/send', 405, 'METHOD', /POST/],
    ['/api/topic?topic=Order', 404, 'NOT_FOUND', /Did you mean Orders/],
  ] as const) {
    const got = await get(listener, path)
    assert.deepEqual([got.status, problemOf(got).code], [status, code], path)
    assert.match(problemOf(got).message, says)
  }
  const huge = await post(listener, '/api/send', { topic: 'T', body: 'x'.repeat(6 * 1024 * 1024) }).catch(
    () => undefined,
  )
  if (huge !== undefined) assert.equal(huge.status, 413)
  const text = await get(listener, '/api/send', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-skua-dashboard': '1' },
    body: [1],
  })
  assert.deepEqual([text.status, problemOf(text).code], [400, 'NOT_JSON'])
})

test('changes stand in the log with who, from where and what came of it', async () => {
  const { rows } = await body(look('changes'))
  const made = rows.find(({ action }: { action: string }) => action === 'topic/put')
  assert.deepEqual([made.who, made.from, made.problem], ['local', '127.0.0.1', null])
  assert.match(made.what, /"topic":"Made"/)
  assert.ok(
    rows.some(
      ({ action, problem }: { action: string; problem: string | null }) =>
        action === 'topic/delete' && problem !== null,
    ),
  )
})

test('more than it can do at a time is refused, not kept', async () => {
  const sockets: Socket[] = []
  const silent = createTcpServer(socket => void sockets.push(socket.on('error', () => {})))
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as AddressInfo
  const own = await dash({
    clusters: [{ name: 'silent', namesrvAddr: `127.0.0.1:${port}`, timeoutMs: 20_000 }],
    namesrvAddr,
  })
  try {
    const refused: number[] = []
    const many = Array.from({ length: maxRequests + 8 }, async () => {
      const { status } = await get(own, '/api/names')
      if (status === 503) refused.push(status)
      return status
    })
    // Nobody else is answered before the name server ends its connections.
    for (let n = 0; refused.length < 8 && n < 1000; n++) await new Promise(resolve => setTimeout(resolve, 10))
    for (const socket of sockets) socket.destroy()
    silent.close()
    const statuses = await Promise.all(many)
    assert.equal(statuses.filter(status => status === 503).length, 8)
    assert.equal(statuses.filter(status => status === 502).length, maxRequests)
  } finally {
    await own.stop()
  }
})

test('pages share an answer: it is asked for once, kept for a while, and what failed is not kept', async () => {
  const clock = new SimClock()
  const shared = new SharedAnswers(clock)
  let asks = 0
  const ask = () => Promise.resolve(++asks)
  assert.deepEqual(await Promise.all([1, 2, 3].map(() => shared.get('a', 1_000, ask))), [1, 1, 1])
  clock.advance(999)
  assert.equal(await shared.get('a', 1_000, ask), 1)
  clock.advance(2)
  assert.equal(await shared.get('a', 1_000, ask), 2)
  shared.clear()
  assert.equal(await shared.get('a', 1_000, ask), 3)
  await assert.rejects(shared.get('b', 1_000, () => Promise.reject(new Error('no'))))
  assert.equal(await shared.get('b', 1_000, ask), 4)
})

test('an endpoint that takes too long is answered for it, with what to try', async () => {
  const silent = createTcpServer(socket => void socket.on('error', () => {}))
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as AddressInfo
  const runtime = { ...nodeRuntime(), clock: new HastyClock() }
  const own = await dash({
    clusters: [{ name: 'silent', namesrvAddr: `127.0.0.1:${port}`, timeoutMs: 30_000 }],
    namesrvAddr,
    runtime,
  })
  try {
    const got = await get(own, '/api/overview')
    assert.deepEqual([got.status, problemOf(got).code], [504, 'TIMEOUT'])
    assert.match(problemOf(got).message, /overview took longer than 15 s: see whether/)
  } finally {
    await own.stop()
    silent.close()
  }
})

/** Fifteen seconds are 15 ms; longer waits are what they are. */
class HastyClock extends NodeClock {
  override after(ms: number, run: () => void) {
    return super.after(ms === 15_000 ? 15 : ms, run)
  }
}

test('in a server of yours: under any base path, with the slash that relative addresses need', async () => {
  const dashboard = createDashboard({ namesrvAddr, basePath: '/tools/mq', page: noPage, sampleMs: 0 })
  const server = createServer(dashboard.handler)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const at = { port: (server.address() as AddressInfo).port }
  try {
    assert.equal((await get(at, '/tools/mq/')).text, '<!doctype html>')
    const bare = await get(at, '/tools/mq')
    assert.deepEqual([bare.status, bare.headers['location']], [308, 'mq/'])
    assert.equal((await get(at, '/tools/mq/api/overview')).status, 200)
    assert.equal((await get(at, '/tools/mqx/')).status, 404)
    assert.equal((await get(at, '/')).status, 404)
  } finally {
    server.closeAllConnections()
    server.close()
    await dashboard.close()
  }
})

test('in a framework that cuts its place off the URL, as Express does, and tells it beside', async () => {
  const dashboard = createDashboard({ namesrvAddr, page: noPage, sampleMs: 0 })
  const server = createServer((request, response) => {
    const originalUrl = request.url ?? '/'
    const url = originalUrl.replace(/^\/mq\/?/, '/')
    dashboard.handler(Object.assign(request, { url, baseUrl: '/mq', originalUrl }), response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const at = { port: (server.address() as AddressInfo).port }
  try {
    assert.equal((await get(at, '/mq/')).text, '<!doctype html>')
    const bare = await get(at, '/mq')
    assert.deepEqual([bare.status, bare.headers['location']], [308, 'mq/'])
    assert.equal((await get(at, '/mq/api/overview')).status, 200)
  } finally {
    server.closeAllConnections()
    server.close()
    await dashboard.close()
  }
})

test('who asks is said by your server, where it knows; whoever it does not know is nobody', async () => {
  const authorize = ({ headers }: { readonly headers: Readonly<Record<string, unknown>> }) =>
    headers['x-user'] === undefined ? undefined : { name: String(headers['x-user']), role: 'view' as const }
  const dashboard = createDashboard({ namesrvAddr, page: noPage, sampleMs: 0, authorize })
  const server = createServer(dashboard.handler)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const at = { port: (server.address() as AddressInfo).port }
  try {
    assert.equal((await get(at, '/api/overview')).status, 401)
    const headers = { 'x-user': 'val' }
    assert.equal((await get(at, '/api/overview', { headers })).status, 200)
    assert.equal(problemOf(await post(at, '/api/topic/put', {}, { headers })).code, 'ROLE')
  } finally {
    server.closeAllConnections()
    server.close()
    await dashboard.close()
  }
})

test('a resend that is left in the middle stands in the list of changes as that', async () => {
  const left = new AbortController()
  const { body: stream } = await fetch(`${listener.url}api/dead/resend`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-skua-dashboard': '1' },
    body: JSON.stringify({ group: 'ledger', all: 'yes', rate: 1 }),
    signal: left.signal,
  })
  await stream!.getReader().read()
  left.abort()
  await until('logged', async () =>
    (await body(look('changes'))).rows.some(
      (one: { action: string; problem: string | null }) =>
        one.action === 'dead/resend' && one.problem?.startsWith('ended before') === true,
    ),
  )
})
