import { test } from 'node:test'
import { DamageRun } from './damage-run.ts'
import { tried } from './tried.ts'

/** Many more run in damage.long.ts. */
const seeds = [93, 232]

for (const seed of seeds)
  test(`damaged files, kills, power cuts and a clock that is set cost nothing that was acknowledged (seed ${seed})`, () =>
    tried(seed, new DamageRun(seed)))
