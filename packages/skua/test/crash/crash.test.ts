import test from 'node:test'
import { BrokerRun } from './broker-run.ts'
import { ClusterRun } from './cluster-run.ts'
import { ElectionRun } from './election-run.ts'

/** SKUA_BROKER_ROUNDS: how many of each; SKUA_BROKER_SEED: the first seed. A failing seed repeats. */
const rounds = Number(process.env.SKUA_BROKER_ROUNDS ?? 10)
const firstSeed = Number(process.env.SKUA_BROKER_SEED ?? 1)

for (const [what, Run] of [
  ['a broker with kills, power cuts and broken disks', BrokerRun],
  ['a master that is lost and the slave that takes its place', ClusterRun],
  ['three brokers that choose their master', ElectionRun],
] as const)
  test(`${rounds} histories of ${what} lose nothing that was acknowledged`, async () => {
    for (let seed = firstSeed; seed < firstSeed + rounds; seed++) {
      try {
        await new Run(seed).run()
      } catch (error) {
        throw new Error(`SKUA_BROKER_ROUNDS=1 SKUA_BROKER_SEED=${seed}: ${(error as Error).message}`, { cause: error })
      }
    }
  })
