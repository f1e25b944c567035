import { FieldIndex, type HotRequest, type RequestHead } from '@skua-mq/protocol'
import { type Event, EventHub, simRuntime } from '@skua-mq/runtime'
import { RemotingServer, type RemotingServerParts } from '../src/index.ts'
import { ask, port, rawPeer } from './raw-peer.ts'

/** A hot request that the package has never heard of. */
export class EchoView implements RequestHead {
  code = 0
  opaque = 0
  oneway = false
  version = 0
  form: 0 | 1 = 0
  text = ''
}

export const echoCode = 200_050

export const hotEcho: HotRequest<EchoView> = {
  fields: new Map([[echoCode, new FieldIndex(['text'])]]),
  view: EchoView,
  fill(view, scan, form) {
    const { code, opaque, version, flag } = scan
    Object.assign(view, { code, opaque, version, form, oneway: (flag & 2) !== 0 })
    view.text = scan.bytes.toString('utf8', scan.starts[0], scan.ends[0])
  },
  fillFromCommand(view, { code, opaque, version, form, extFields, flag }) {
    Object.assign(view, { code, opaque, version, form, oneway: (flag & 2) !== 0 })
    view.text = extFields['text'] ?? ''
  },
}

export const echo = (opaque: number, text = 'x', change: Parameters<typeof ask>[1] = {}) =>
  ask(opaque, { code: echoCode, extFields: { text }, ...change })

/** A server on a simulated machine, one peer that speaks bytes, and what the server has told. */
export async function serve(parts: Partial<RemotingServerParts>) {
  const events = new EventHub()
  const told: Event[] = []
  events.subscribe(event => told.push(event))
  const runtime = simRuntime({ seed: 1, events })
  runtime.network.splitChance = 0
  const listen = [{ host: runtime.network.addressOf('host'), port }]
  const server = new RemotingServer({ ...runtime, name: 'test', listen, routes: [], ...parts })
  await runtime.clock.until(server.start())
  const peer = await rawPeer(runtime)
  const opaques = () => peer.replies.map(({ opaque }) => opaque)
  return { runtime, server, told, peer, opaques, another: () => rawPeer(runtime) }
}
