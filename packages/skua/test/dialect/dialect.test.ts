import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type DialectName, dialectNames, dialectOf, forks } from '@skua-mq/protocol'
import { Place } from './place.ts'
import { type Trial, trials } from './rows.ts'

async function seen(name: DialectName, { config, accounts, see }: Trial): Promise<unknown[]> {
  const place = new Place(name)
  await place.start(config, accounts)
  try {
    return await see(place)
  } finally {
    await place.stop()
  }
}

test('every row of the table of dialects is tried, and nothing else', () => {
  assert.deepEqual(Object.keys(trials).sort(), Object.keys(forks).sort())
})

describe('a server does what the column of its dialect says', () => {
  for (const row of Object.keys(forks) as (keyof typeof forks)[])
    test(row, async () => {
      for (const name of dialectNames) {
        const all = await seen(name, trials[row] as Trial)
        assert.ok(all.length > 0)
        const wanted = dialectOf(name)[row]
        assert.deepEqual(
          all,
          all.map(() => wanted),
          name,
        )
      }
    })
})

test('short heartbeats keep a member alive with what it has said, also where the dialect asks for none', async () => {
  for (const name of dialectNames) {
    const place = await new Place(name).start()
    const told = (isSubChange: boolean) => (name === '5.3' ? { isSupportHeartBeatV2: true, isSubChange } : {})
    const beat = async (heartbeatFingerprint: number, withoutSub: boolean) =>
      (await place.beat('g', { heartbeatFingerprint, withoutSub })).header
    // It is not known: it is asked to say all of it.
    assert.deepEqual(await beat(7, true), told(true))
    assert.deepEqual(await place.subscribed('g'), [])
    assert.deepEqual(await beat(7, false), told(false))
    for (let i = 0; i < 4; i++) {
      await place.pass(40_000)
      assert.deepEqual(await beat(7, true), told(false))
    }
    assert.deepEqual(await place.subscribed('g'), ['Stored'])
    // What it has said is something else than what it goes by.
    assert.deepEqual(await beat(8, true), told(true))
    await place.stop()
  }
})

test('a key that is set goes before the default of the dialect', async () => {
  const all = await seen('5.3', {
    config: { transactionCheckInterval: 45_000 },
    see: trials.transactionCheckIntervalMs.see as Trial['see'],
  })
  assert.deepEqual(all, [45_000, 45_000])
})

test('a region that a tool changes is stored from then on', async () => {
  const place = await new Place('5.3').start()
  await place.setOption('regionId', 'elsewhere')
  assert.match(await place.stored(), /MSG_REGION=elsewhere/)
  await place.stop()
})
