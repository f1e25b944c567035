import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { brokerCases } from './broker-cases.ts'
import { type AbuseCase, pause } from './case.ts'
import { nameServerCases } from './name-server-cases.ts'
import { slavePortCases } from './slave-port-cases.ts'
import { Target } from './target.ts'

/** How long each case goes on; the long run gives it minutes. */
const seconds = Number(process.env['SKUA_ABUSE_CASE_SECONDS'] ?? 1)
/** What nobody may wait longer than; a busy machine needs room, the long run on a quiet one asks for 50. */
const mostWaitMs = Number(process.env['SKUA_ABUSE_MOST_WAIT_MS'] ?? 1000)

const cases: readonly AbuseCase[] = [...brokerCases, ...nameServerCases, ...slavePortCases]

/** While the abuse goes on, how much memory the server has at most. */
async function watched<T>(target: Target, work: Promise<T>): Promise<number> {
  let most = 0
  let isOver = false
  const done = work.finally(() => {
    isOver = true
  })
  while (!isOver && target.isAlive) {
    most = Math.max(most, target.residentMiB)
    await pause(20)
  }
  await done
  return most
}

async function abused(one: AbuseCase, target: Target): Promise<void> {
  const until = performance.now() + seconds * 1000
  do await one.abuse(target)
  while (performance.now() < until && target.isAlive)
}

for (const one of cases) {
  test(`abuse: ${one.name}`, { skip: !existsSync('/proc/self/status') }, async () => {
    const target = await Target.start(one)
    try {
      await one.prepare?.(target)
      await target.startInnocent()
      const before = target.residentMiB
      const { answered: atFirst } = await target.figures('reset')
      const most = await watched(target, abused(one, target))
      assert.ok(target.isAlive, target.errors)
      const { answered, slowestMs, failed } = await target.figures()
      const growth = most - before
      console.log(`${one.name}: +${growth} MiB, ${answered - atFirst} answers, slowest ${Math.round(slowestMs)} ms`)
      assert.equal(failed, '')
      assert.ok(answered > atFirst, 'the innocent client was not answered')
      assert.ok(slowestMs < mostWaitMs, `the innocent client waited for ${slowestMs} ms`)
      assert.ok(growth < one.mostGrowthMiB, `${growth} MiB more`)
      assert.doesNotMatch(target.errors, /a fault of its own/)
    } finally {
      const code = await target.stop()
      assert.equal(code, 0, target.errors)
    }
  })
}
