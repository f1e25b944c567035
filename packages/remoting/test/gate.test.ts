import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Command, queryConsumerOffset, ResponseCode } from '@skua-mq/protocol'
import type { Address } from '@skua-mq/runtime'
import { Account, Accounts } from '../src/account.ts'
import { Admission, type Asking, overloadGate } from '../src/gate.ts'
import {
  type Door,
  type FullGate,
  hotRoute,
  ok,
  type RemotingServerParts,
  refuse,
  route,
  type SwitchedGate,
} from '../src/index.ts'
import { echo, echoCode, hotEcho, serve } from './hot-echo.ts'
import { ask } from './raw-peer.ts'

const remote: Address = { host: '10.0.0.1', port: 1 }

/** A gate that can be switched by hand. */
function switched(remark: string) {
  const told: (() => void)[] = []
  const gate = {
    isOn: false,
    admit: () => refuse(ResponseCode.noPermission, remark),
    onSwitch: (run: () => void) => told.push(run),
    turn(isOn: boolean) {
      gate.isOn = isOn
      for (const run of told) run()
    },
  }
  return gate satisfies SwitchedGate & { turn(isOn: boolean): void }
}

const hot = [hotRoute(hotEcho, (view, token) => token.answer(ResponseCode.success, undefined, { remark: view.text }))]
const routes = [route(queryConsumerOffset, ({ queueId }) => ok({ offset: queueId }))]

describe('gates', () => {
  test('that are off are not asked; when one is switched, the next request goes by it', () => {
    const [first, second] = [switched('first'), switched('second')]
    const admission = new Admission(() => undefined, [first, second])
    const asking: Asking = { account: new Account(new Accounts()), remote }
    const remarkOf = () => admission.admit({ code: 1 }, asking)?.remark
    assert.equal(remarkOf(), undefined)
    second.turn(true)
    assert.equal(remarkOf(), 'second')
    first.turn(true)
    assert.equal(remarkOf(), 'first')
    second.turn(false)
    assert.equal(remarkOf(), 'first')
    first.turn(false)
    assert.equal(remarkOf(), undefined)
  })

  test('are behind the one that refuses what is too much', () => {
    const admission = new Admission(() => refuse(ResponseCode.systemBusy, 'too much'), [() => refuse(16, 'not you')])
    assert.equal(admission.admit({ code: 1 }, { account: new Account(new Accounts()), remote })?.remark, 'too much')
  })

  test('know from where a request came', async () => {
    const from: string[] = []
    const gate = (_head: { code: number }, asking: Asking) => {
      from.push(`${asking.remote.host}:${asking.remote.port}`)
      return undefined
    }
    const { runtime, peer } = await serve({ hot, routes, gates: [gate] })
    peer.socket.write([echo(1), ask(2)])
    await runtime.clock.advanceAsync(20)
    const { local } = peer.socket
    assert.deepEqual(from, [`${local.host}:${local.port}`, `${local.host}:${local.port}`])
  })

  test('leave a refused one-way request without an answer', async () => {
    const { runtime, peer } = await serve({ hot, routes, gates: [() => refuse(ResponseCode.noPermission, 'no')] })
    peer.socket.write([echo(1, 'x', { flag: 2 }), ask(2, { flag: 2 }), ask(3)])
    await runtime.clock.advanceAsync(20)
    assert.deepEqual(
      peer.replies.map(({ opaque, code }) => [opaque, code]),
      [[3, ResponseCode.noPermission]],
    )
  })
})

describe('too many requests of all', () => {
  test('are refused to who has more than its share of them, to nobody else, with the setting’s name', () => {
    const sum = new Accounts()
    const [greedy, modest] = [new Account(sum), new Account(sum)]
    const gate = overloadGate({ maxPendingRequests: 100 }, sum, () => 2)
    for (let n = 0; n < 99; n++) greedy.begin()
    const ask = (account: Account) => gate({ code: 1 }, { account, remote })
    assert.equal(ask(greedy), undefined)
    greedy.begin()
    assert.deepEqual(ask(greedy)?.code, ResponseCode.systemBusy)
    assert.match(ask(greedy)!.remark, /^\[OVERLOAD\]maxPendingRequests \(100\).*100 of them/)
    for (let n = 0; n < 49; n++) modest.begin()
    assert.equal(ask(modest), undefined)
    modest.begin()
    assert.equal(ask(modest)?.code, ResponseCode.systemBusy)
    for (let n = 0; n < 60; n++) greedy.end()
    assert.equal(sum.running, 90)
    assert.equal(ask(modest), undefined)
  })

  test('are nobody’s where nobody is connected', () => {
    const sum = new Accounts()
    sum.running = 5
    const gate = overloadGate({ maxPendingRequests: 1 }, sum, () => 0)
    assert.equal(gate({ code: 1 }, { account: new Account(sum), remote }), undefined)
  })
})

describe('a gate that looks at all fields', () => {
  /** Lets a request in when its field says so. */
  function signed({ lets = false, guards = true }: { lets?: boolean; guards?: boolean } = {}) {
    const counts = { asked: 0, let: 0, decoded: 0 }
    const gate: FullGate = {
      guards: () => {
        counts.asked++
        return guards
      },
      admit: (command: Command) => {
        counts.decoded++
        const word = command.extFields['text'] ?? command.extFields['topic']
        return word === 'good' ? undefined : refuse(ResponseCode.noPermission, `"${word}" is not signed`)
      },
    }
    if (lets)
      gate.lets = scan => {
        counts.let++
        return scan.bytes.toString('utf8', scan.starts[0], scan.ends[0]) === 'good'
      }
    return { gate, counts }
  }

  const requests = [
    echo(1, 'good'),
    echo(2, 'bad'),
    ask(3, { extFields: { consumerGroup: 'g', topic: 'good', queueId: '3' } }),
    ask(4),
    echo(5, 'good', { remark: 'decoded' }),
    echo(6, 'bad', { remark: 'decoded' }),
  ]
  const expected = [
    [1, 0, 'good'],
    [2, 16, '"bad" is not signed'],
    [3, 0, undefined],
    [4, 16, '"t" is not signed'],
    [5, 0, 'good'],
    [6, 16, '"bad" is not signed'],
  ]

  const answered = async (parts: Partial<RemotingServerParts>) => {
    const { runtime, peer } = await serve({ hot, routes, ...parts })
    peer.socket.write(requests)
    await runtime.clock.advanceAsync(50)
    return peer.replies.map(({ opaque, code, remark }) => [opaque, code, remark])
  }

  test('decodes each request, hot or not, and refuses before its handler', async () => {
    const { gate, counts } = signed()
    assert.deepEqual(await answered({ fullGates: [gate] }), expected)
    assert.equal(counts.decoded, requests.length)
  })

  test('may let a hot one in as it stands, and decodes only what it does not', async () => {
    const { gate, counts } = signed({ lets: true })
    assert.deepEqual(await answered({ fullGates: [gate] }), expected)
    assert.deepEqual([counts.let, counts.decoded], [2, requests.length - 1])
  })

  test('beside another one decodes all, and each of them is asked', async () => {
    const [one, other] = [signed({ lets: true }), signed({ lets: true })]
    assert.deepEqual(await answered({ fullGates: [one.gate, other.gate] }), expected)
    assert.deepEqual([one.counts.let, other.counts.let], [0, 0])
    assert.equal(one.counts.decoded, requests.length)
    assert.equal(other.counts.decoded, 3)
  })

  test('that does not guard a connection costs it nothing', async () => {
    const { gate, counts } = signed({ guards: false })
    assert.deepEqual(
      (await answered({ fullGates: [gate] })).map(([, code]) => code),
      [0, 0, 0, 0, 0, 0],
    )
    assert.deepEqual([counts.asked, counts.decoded], [requests.length, 0])
  })

  test('looks at no reply: it is an answer to us', async () => {
    const { gate, counts } = signed()
    const { runtime, peer } = await serve({ hot, routes, fullGates: [gate] })
    peer.socket.write([ask(7, { flag: 1, code: 0, extFields: {} }), echo(8, 'bad', { flag: 1 })])
    await runtime.clock.advanceAsync(20)
    assert.deepEqual([counts.decoded, peer.replies.length], [0, 0])
  })
})

describe('doors', () => {
  test('turn a connection away before anything is read, and are told of those that enter and leave', async () => {
    const log: string[] = []
    let most = 2
    const door: Door = {
      admits: ({ host }) => {
        log.push(`${host} knocks`)
        return most > 0
      },
      entered: ({ remote }) => {
        most--
        log.push(`${remote.host} enters`)
      },
      left: ({ remote }) => {
        most++
        log.push(`${remote.host} leaves`)
      },
    }
    const { runtime, server, peer, another } = await serve({ hot, routes, doors: [door] })
    await another()
    const third = await another()
    await runtime.clock.advanceAsync(20)
    assert.deepEqual([server.connectionCount, third.state.closed], [2, true])
    peer.socket.destroy()
    await runtime.clock.advanceAsync(20)
    const fourth = await another()
    fourth.socket.write([ask(1)])
    await runtime.clock.advanceAsync(20)
    assert.equal(fourth.replies.length, 1)
    assert.equal(log.filter(line => line.endsWith('knocks')).length, 4)
    assert.equal(log.filter(line => line.endsWith('enters')).length, 3)
    assert.equal(log.filter(line => line.endsWith('leaves')).length, 1)
  })

  test('a gate is given the very object that entered', async () => {
    const entered = new Set<Asking>()
    const known: boolean[] = []
    const door: Door = { admits: () => true, entered: asking => entered.add(asking), left: () => {} }
    const gate = (_head: { code: number }, asking: Asking) => {
      known.push(entered.has(asking))
      return undefined
    }
    const { runtime, peer } = await serve({ hot, routes, doors: [door], gates: [gate] })
    peer.socket.write([echo(1), ask(2), ask(3, { code: echoCode, extFields: { text: 'x' }, remark: 'decoded' })])
    await runtime.clock.advanceAsync(20)
    assert.deepEqual(known, [true, true, true])
  })
})
