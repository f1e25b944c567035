import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimClock } from '@skua-mq/runtime'
import { groupState, inSyncValue, keys } from '../../src/election/group-state.ts'
import { InSync } from '../../src/election/in-sync.ts'
import { MemoryRegistry } from '../../src/election/memory-registry.ts'
import type { RegistryWrite } from '../../src/election/registry.ts'
import { SlaveProgress } from '../../src/ha/slave-progress.ts'

test('a slave whose addition was asked for twice, and refused because it was done, counts as one that could be the master', async () => {
  const registry = new MemoryRegistry(new SimClock()).view()
  const session = await registry.open(3000)
  const role = 'ASYNC_MASTER'
  const slave = '10.0.0.2:40000'
  await session.write({
    when: {},
    put: { [keys.inSync]: inSyncValue({ members: ['a'], master: 'a', epoch: 1, role }) },
    putForSession: {
      [keys.master]: JSON.stringify({
        member: 'a',
        session: 's',
        epoch: 1,
        address: '10.0.0.1:1',
        haAddress: '10.0.0.1:2',
      }),
      [keys.member('b')]: JSON.stringify({ address: '10.0.0.2:1', haFrom: slave }),
    },
  })
  const progress = new SlaveProgress(
    () => 100,
    () => 1000,
  )
  progress.joined({ slave, position: 100, confirmedTo: 100, keepsUp: true, sentTo: 100, bytesPerSecond: 0 })
  // The first answer was lost on its way, and the next endpoint was asked.
  const twice = async (change: RegistryWrite) => {
    await session.write(change)
    return session.write(change)
  }
  const inSync = new InSync({
    ...{ member: 'a', role: { brokerRole: role, brokerId: 0 }, progress, logEnd: () => 100, fallBehindMax: () => 1000 },
    write: twice,
  })
  const group = async () => groupState(await registry.read())
  await inSync.maintain(await group())
  assert.deepEqual((await group()).inSync?.members, ['a', 'b'])
  assert.equal(inSync.others, 1)
  await inSync.maintain(await group())
  assert.equal(inSync.others, 1)
  await session.close()
})
