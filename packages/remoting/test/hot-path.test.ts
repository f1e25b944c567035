import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FieldIndex, type HotRequest, queryConsumerOffset, type RequestHead, ResponseCode } from '@skua-mq/protocol'
import { simRuntime } from '@skua-mq/runtime'
import {
  type Gate,
  hotRoute,
  ok,
  RemotingServer,
  type RemotingServerParts,
  type ReplyToken,
  refuse,
  route,
} from '../src/index.ts'
import { ask, port, rawPeer } from './raw-peer.ts'

/** A hot request that the package has never heard of. */
class EchoView implements RequestHead {
  code = 0
  opaque = 0
  oneway = false
  version = 0
  form: 0 | 1 = 0
  text = ''
}

const hotEcho: HotRequest<EchoView> = {
  fields: new Map([[200_050, new FieldIndex(['text'])]]),
  view: EchoView,
  fill(view, scan, form) {
    const { code, opaque, version } = scan
    Object.assign(view, { code, opaque, version, form, oneway: false })
    view.text = scan.bytes.toString('utf8', scan.starts[0], scan.ends[0])
  },
  fillFromCommand(view, { code, opaque, version, form, extFields }) {
    Object.assign(view, { code, opaque, version, form, oneway: false })
    view.text = extFields['text'] ?? ''
  },
}

const echo = (opaque: number, text: string, remark?: string) =>
  ask(opaque, { code: 200_050, extFields: { text }, remark })

async function serve(parts: Partial<RemotingServerParts>) {
  const runtime = simRuntime({ seed: 1 })
  const server = new RemotingServer({
    ...runtime,
    name: 'test',
    listen: [{ host: runtime.network.addressOf('host'), port }],
    routes: [route(queryConsumerOffset, () => ok({ offset: 7 }))],
    ...parts,
  })
  await runtime.clock.until(server.start())
  return { runtime, peer: await rawPeer(runtime) }
}

test('a further hot request is a route: scanned or decoded, its handler gets the same view', async () => {
  const seen: string[] = []
  const handle = (view: EchoView, token: ReplyToken) => {
    seen.push(view.text)
    token.answer(ResponseCode.success, undefined, { remark: view.text })
  }
  const { runtime, peer } = await serve({ hot: [hotRoute(hotEcho, handle)] })
  // What has a remark is left to the decoder.
  peer.socket.write([echo(1, 'scanned'), echo(2, 'decoded', 'a remark'), ask(3)])
  await runtime.clock.advanceAsync(50)
  assert.deepEqual(seen, ['scanned', 'decoded'])
  assert.deepEqual(
    peer.replies.map(({ opaque, code, remark }) => [opaque, code, remark]),
    [
      [1, 0, 'scanned'],
      [2, 0, 'decoded'],
      [3, 0, undefined],
    ],
  )
})

test('two hot routes for one code are refused', async () => {
  const hot = [hotRoute(hotEcho, () => {}), hotRoute(hotEcho, () => {})]
  await assert.rejects(serve({ hot }), /200050 has two hot routes/)
})

test('gates are asked in their order, before every handler: hot, decoded, and of the table', async () => {
  const asked: string[] = []
  const handled: number[] = []
  const gate =
    (name: string, refused: number): Gate =>
    ({ code }) => {
      asked.push(`${name} ${code}`)
      return code === refused ? refuse(ResponseCode.noPermission, `${name} says no`) : undefined
    }
  const { runtime, peer } = await serve({
    hot: [
      hotRoute(hotEcho, (view, token) => {
        handled.push(view.code)
        token.answer(ResponseCode.success)
      }),
    ],
    gates: [gate('first', 200_050), gate('second', 14)],
  })
  peer.socket.write([echo(1, 'x'), echo(2, 'x', 'a remark'), ask(3)])
  await runtime.clock.advanceAsync(50)
  assert.deepEqual(handled, [])
  assert.deepEqual(asked, ['first 200050', 'first 200050', 'first 14', 'second 14'])
  assert.deepEqual(
    peer.replies.map(({ opaque, code, remark }) => [opaque, code, remark]),
    [
      [1, 16, 'first says no'],
      [2, 16, 'first says no'],
      [3, 16, 'second says no'],
    ],
  )
})

test('maxPendingRequests counts hot requests that are not answered yet, before the next one begins', async () => {
  let begun = 0
  const { runtime, peer } = await serve({ hot: [hotRoute(hotEcho, () => begun++)], limits: { maxPendingRequests: 20 } })
  for (let i = 0; i < 30; i++) peer.socket.write([echo(i, 'x')])
  await runtime.clock.advanceAsync(50)
  assert.equal(begun, 20)
  assert.equal(peer.replies.length, 10)
  assert.ok(
    peer.replies.every(({ code, remark }) => code === ResponseCode.systemBusy && /maxPendingRequests/.test(remark!)),
  )
})

test('large hot requests of thirty peers share the turns by the time that they take', async () => {
  const waits: number[] = []
  let block = (_ms: number) => {}
  const handle = (view: EchoView, token: ReplyToken) => {
    if (view.text === 'slow') block(2)
    token.answer(ResponseCode.success)
  }
  const { runtime, peer } = await serve({ hot: [hotRoute(hotEcho, handle)] })
  runtime.network.splitChance = 0
  block = ms => runtime.clock.block(ms)
  const large = ask(1, { code: 200_050, extFields: { text: 'slow' }, body: Buffer.alloc(100_000) })
  const hogs = []
  for (let i = 0; i < 30; i++) hogs.push(await rawPeer(runtime))
  for (let i = 0; i < 30; i++) {
    for (const hog of hogs) hog.socket.write([large])
    const before = peer.replies.length
    const begun = runtime.clock.monotonic()
    peer.socket.write([ask(i)])
    while (peer.replies.length === before) await runtime.clock.advanceAsync(0.5)
    if (i > 2) waits.push(runtime.clock.monotonic() - begun)
  }
  assert.ok(Math.max(...waits) <= 40, `${Math.max(...waits)} ms`)
  for (const hog of hogs) while (hog.replies.length < 30) await runtime.clock.advanceAsync(10)
})
