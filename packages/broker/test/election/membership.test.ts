import assert from 'node:assert/strict'
import { test } from 'node:test'
import { delay, SimClock, SimRandom } from '@skua-mq/runtime'
import { Membership } from '../../src/election/membership.ts'
import { MemoryRegistry } from '../../src/election/memory-registry.ts'
import type { Registry } from '../../src/election/registry.ts'

/** Each answer takes so long. */
function slow(registry: Registry, { clock, ms }: { clock: SimClock; ms: number }): Registry {
  const late = async <T>(answer: Promise<T>): Promise<T> => {
    await delay(clock, ms)
    return answer
  }
  return {
    read: () => late(registry.read()),
    open: async ttlMs => {
      const session = await late(registry.open(ttlMs))
      const { renew, write, close } = session
      return {
        ttlMs: session.ttlMs,
        renew: () => late(renew.call(session)),
        write: change => late(write.call(session, change)),
        close: () => late(close.call(session)),
      }
    },
  }
}

test('of two stores with one name the second one takes no part while the first one is there', async () => {
  const clock = new SimClock()
  const registry = new MemoryRegistry(clock)
  const member = (address: string) =>
    new Membership({
      ...{ clock, random: new SimRandom(1), registry: registry.view(), member: () => 'A', brokerId: 0 },
      ...{ address, leaseMs: 3000 },
    })
  const [first, copy] = [member('a:1'), member('b:1')]
  await first.renew('')
  await assert.rejects(copy.renew(''), /the broker at a:1 runs with the same name in the registry \(A\)/)
  await first.renew('')
  assert.deepEqual([...(await first.renew('')).group.members.values()], [{ address: 'a:1', haFrom: '' }])
  await first.leave()
  await copy.renew('')
  assert.deepEqual([...(await copy.renew('')).group.members.values()], [{ address: 'b:1', haFrom: '' }])
})

test('a lease is believed from before it was asked for, however late the answer is', async () => {
  const clock = new SimClock()
  const registry = slow(new MemoryRegistry(clock).view(), { clock, ms: 400 })
  const membership = new Membership({
    ...{ clock, random: new SimRandom(1), registry, member: () => 'A', address: 'a:1', leaseMs: 3000, brokerId: 0 },
  })
  for (let round = 0; round < 3; round++) {
    const asked = clock.monotonic()
    const seen = await clock.until(membership.renew(''))
    assert.ok(clock.monotonic() - asked >= 800, 'it took its time')
    // An attempt at the former session may come first; there is none in the first round.
    assert.equal(seen.renewedMs, asked)
  }
})
