import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PropertyName } from '@skua-mq/protocol'
import { SlotSchedule } from '../../src/timer/slot-schedule.ts'
import { TimerMachine } from './timer-machine.ts'

test('recalls of one slot take no more than so much each, however long the ids are that producers gave', () => {
  const schedule = new SlotSchedule(1000)
  const long = 'x'.repeat(30_000)
  for (let n = 0; n < 1000; n++) {
    schedule.recall(`T+${long}${n}`)
    schedule.recall(`${long}${n}`)
  }
  assert.ok(schedule.recallChars < 2000 * 300, `${schedule.recallChars} characters`)
  assert.ok(schedule.isRecalled('T', () => `${long}7`))
  assert.ok(!schedule.isRecalled('U', () => `${long}7`))
  assert.ok(!schedule.isRecalled('T', () => `${long}1000`))
  const missed = schedule.missed()
  assert.equal(missed.length, 1999)
  assert.equal(missed.filter(key => key.startsWith('T+')).length, 999, 'their topics are known')
})

test('a message with a long id is taken back, and the one beside it is not', async () => {
  const machine = new TimerMachine()
  const process = await machine.run()
  const at = machine.clock.now() + 5000
  const ids = ['a', 'b'].map(letter => letter.repeat(10_000))
  const put = ids.map((id, n) => machine.timed(`m${n}`, at, { UNIQ_KEY: id }))
  const recall = machine.recall('m0', at)
  Object.assign(recall.properties, { UNIQ_KEY: ids[0], [PropertyName.timerDelUniqueKey]: `T+${ids[0]}` })
  await machine.put(process.store, [...put, recall])
  await machine.clock.advanceAsync(8000)
  assert.equal(process.store.maxOffset('T', 0), 1)
  assert.deepEqual([machine.bodies(process.store), process.counts.of('T')], [['m1'], 0])
  await machine.end(process)
})
