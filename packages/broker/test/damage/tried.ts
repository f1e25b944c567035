import type { DamageRun } from './damage-run.ts'

/** Runs a history; a failure has its seed and what happened. */
export async function tried(seed: number, run: DamageRun): Promise<void> {
  try {
    await run.run()
  } catch (error) {
    const { message } = error as Error
    throw new Error(`SKUA_DAMAGE_ROUNDS=1 SKUA_SEED=${seed}: ${message}\n${run.story.join('\n')}`, { cause: error })
  }
}
