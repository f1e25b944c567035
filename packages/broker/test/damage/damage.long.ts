import { test } from 'node:test'
import { DamageRun } from './damage-run.ts'
import { tried } from './tried.ts'

/** SKUA_DAMAGE_ROUNDS: how many; SKUA_SEED: the first seed. A failing seed repeats. */
const rounds = Number(process.env.SKUA_DAMAGE_ROUNDS ?? 300)
const firstSeed = Number(process.env.SKUA_SEED ?? 1)

test(`${rounds} histories with damaged files, kills, power cuts and a clock that is set lose nothing that was acknowledged`, async () => {
  for (let seed = firstSeed; seed < firstSeed + rounds; seed++) await tried(seed, new DamageRun(seed))
})
