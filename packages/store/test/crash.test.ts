import test from 'node:test'
import { CrashRun } from './crash-run.ts'

/** SKUA_CRASH_ROUNDS: how many; SKUA_CRASH_SEED: the first seed. A failing seed repeats. */
const rounds = Number(process.env.SKUA_CRASH_ROUNDS ?? 35)
const firstSeed = Number(process.env.SKUA_CRASH_SEED ?? 1)

test(`${rounds} histories with kills, power cuts and broken disks keep every promise`, async () => {
  for (let seed = firstSeed; seed < firstSeed + rounds; seed++) {
    try {
      await new CrashRun(seed).run()
    } catch (error) {
      throw new Error(`SKUA_CRASH_ROUNDS=1 SKUA_CRASH_SEED=${seed}: ${(error as Error).message}`, { cause: error })
    }
  }
})
