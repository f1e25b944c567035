import assert from 'node:assert/strict'
import test from 'node:test'
import { ElectionRun } from './election-run.ts'

/** Two brokers of a set; the one that had no power comes back first. */
class PowerStory extends ElectionRun {
  override async run(): Promise<void> {
    const { clock, traffic, machines, running } = this
    await clock.until(this.names.start())
    for (const host of ['one', 'two'] as const) await this.boot(host)
    await traffic.begin('one', { runsOn: false })
    await traffic.send()
    await clock.advanceAsync(35_000)
    for (let i = 0; i < 20; i++) await traffic.send()
    for (const { registry } of running.values()) registry.isDead = true
    running.clear()
    machines.one.kill()
    this.cuts.two++
    machines.two.powerCut()
    await this.boot('two')
    await clock.advanceAsync(30_000)
    assert.deepEqual(this.masters(), [], 'what was acknowledged last may be missing there')
    await this.boot('one')
    await clock.advanceAsync(30_000)
    assert.deepEqual(this.masters(), ['one'])
    await traffic.beat()
    await clock.advanceAsync(120_000)
    await traffic.consume(100)
    await traffic.drain()
    traffic.check()
    await traffic.close()
    for (const { broker } of running.values()) await clock.until(broker.stop())
    await clock.until(this.names.stop())
  }
}

test('a machine that lost its power is not the master before it has what the others have', async () => {
  for (let seed = 1; seed <= 2; seed++) await new PowerStory(seed).run()
})
