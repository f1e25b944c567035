import test from 'node:test'
import { ReplicaRun } from './replica-run.ts'

/** SKUA_REPLICA_ROUNDS: how many; SKUA_REPLICA_SEED: the first seed. A failing seed repeats. */
const rounds = Number(process.env.SKUA_REPLICA_ROUNDS ?? 35)
const firstSeed = Number(process.env.SKUA_REPLICA_SEED ?? 1)

test(`${rounds} histories of a slave with kills, power cuts and broken disks leave it its master's log`, async () => {
  for (let seed = firstSeed; seed < firstSeed + rounds; seed++) {
    try {
      await new ReplicaRun(seed).run()
    } catch (error) {
      throw new Error(`SKUA_REPLICA_ROUNDS=1 SKUA_REPLICA_SEED=${seed}: ${(error as Error).message}`, { cause: error })
    }
  }
})
