import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PopMachine } from './pop-machine.ts'
import { Popper } from './popper.ts'

test('a power cut between a copy in the retry topic and its settlement has no message delivered after its acknowledgement', async () => {
  const seeds = Number(process.env['SKUA_POP_CUTS'] ?? 40)
  for (let seed = 1; seed <= seeds; seed++) {
    const machine = new PopMachine(seed)
    await machine.boot()
    const first = new Popper(machine.client('member'))
    for (const text of ['a', 'b']) await first.peer.send('T', text, { queueId: 0 })
    await machine.clock.advanceAsync(12_000)
    await first.pop({ invisibleTime: 2900 + (seed % 7) * 50 })
    // The copies are written, and most of them not synced.
    await machine.clock.advanceAsync(3000 + (seed % 5) * 60)
    machine.powerCut()
    await machine.boot()
    const second = new Popper(machine.client('member'))
    const acked: string[] = []
    for (let round = 0; round < 12; round++) {
      for (const popped of await second.pop({ invisibleTime: 30_000 })) {
        assert.ok(!acked.includes(popped.text), `seed ${seed}: ${popped.text} comes after its acknowledgement`)
        assert.equal(await second.ack(popped), 0)
        acked.push(popped.text)
      }
      await machine.clock.advanceAsync(1000)
    }
    assert.deepEqual(acked.sort(), ['a', 'b'], `seed ${seed}`)
    await machine.settle(machine.broker.stop())
  }
})
