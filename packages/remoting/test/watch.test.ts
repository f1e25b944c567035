import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FieldIndex, type HotRequest, queryConsumerOffset, type RequestHead, ResponseCode } from '@skua-mq/protocol'
import { delay, simRuntime } from '@skua-mq/runtime'
import {
  type Exchange,
  hotRoute,
  RemotingClient,
  RemotingServer,
  type ReplyToken,
  refuse,
  route,
} from '../src/index.ts'

class HeldView implements RequestHead {
  code = 0
  opaque = 0
  oneway = false
  version = 0
  form: 0 | 1 = 0
}

const hotHeld: HotRequest<HeldView> = {
  fields: new Map([[200_050, new FieldIndex([])]]),
  view: HeldView,
  fill(view, { code, opaque, version, flag }, form) {
    Object.assign(view, { code, opaque, version, form, oneway: (flag & 2) !== 0 })
  },
  fillFromCommand(view, { code, opaque, version, form, flag }) {
    Object.assign(view, { code, opaque, version, form, oneway: (flag & 2) !== 0 })
  },
}

test('an observer hears of each answer: the request, the code, how long it took, whether it was held, and of no silence', async () => {
  const server = simRuntime({ seed: 1, host: 'server' })
  const { clock, network } = server
  const heard: Exchange[] = []
  let held: ReplyToken | undefined
  const remoting = new RemotingServer({
    ...server,
    name: 'watched',
    listen: [{ host: '0.0.0.0', port: 7000 }],
    hot: [
      hotRoute(hotHeld, (_view, token) => {
        held = token
        token.rest()
      }),
    ],
    routes: [
      route(queryConsumerOffset, async ({ consumerGroup }) => {
        await delay(clock, 7)
        return refuse(ResponseCode.queryNotFound, `nothing of ${consumerGroup}`)
      }),
    ],
    observer: { answered: exchange => heard.push({ ...exchange }) },
  })
  await clock.until(remoting.start())
  const client = new RemotingClient(simRuntime({ seed: 2, host: 'client', clock, network }))
  const address = `${network.addressOf('server')}:7000`
  const place = { consumerGroup: 'g', topic: 'T', queueId: 0 }
  await clock.until(client.request(address, queryConsumerOffset, place, { timeoutMs: 3000 }))
  const generic = { requestCode: 14, responseCode: ResponseCode.queryNotFound, tookMs: 7, wasHeld: false }
  assert.deepEqual(heard, [{ ...generic, result: 'success' }])

  heard.length = 0
  const spec = { ...queryConsumerOffset, code: 200_050, header: {}, reply: {} } as never
  const waiting = client.request(address, spec, {} as never, { timeoutMs: 60_000 })
  await clock.advanceAsync(100)
  assert.equal(heard.length, 0, 'what is held is not answered')
  held!.rise()
  held!.answer(ResponseCode.success)
  await clock.until(waiting)
  const [exchange] = heard
  assert.deepEqual([exchange?.requestCode, exchange?.wasHeld, exchange?.result], [200_050, true, 'success'])
  assert.ok(exchange!.tookMs > 90 && exchange!.tookMs <= 100)

  heard.length = 0
  const lost = client.request(address, spec, {} as never, { timeoutMs: 60_000 }).catch(() => {})
  await clock.advanceAsync(100)
  await clock.until(client.close())
  await clock.until(lost)
  await clock.advanceAsync(100)
  held!.answer(ResponseCode.success)
  assert.equal(heard[0]?.result, 'lost')
  await clock.until(remoting.stop())
})
