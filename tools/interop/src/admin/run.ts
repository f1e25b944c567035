import { mqadmin } from '../../../../packages/skua/test/mqadmin/run.ts'
import { type Line, stages, wordsOf } from './lines.ts'
import type { Tool, ToolVersion } from './tool.ts'
import type { World } from './world.ts'

/** What a command line printed, on both streams, and whether it is one that ends. */
export interface Printed {
  /** The line behind its stage: some are run again when nobody is online. */
  readonly line: string
  readonly output: string
  readonly errors: string
  readonly ms: number
}

type Runner = (words: string[], line: Line) => Promise<{ output: string; errors: string; ms: number }>

/** Runs all lines of a version in their order; the world has no clients behind it. */
export async function runLines(version: ToolVersion, world: World, runner: Runner): Promise<Printed[]> {
  const printed: Printed[] = []
  for (const [stage, lines] of Object.entries(stages)) {
    if (stage === 'ending') await world.closeClients()
    for (const line of lines) {
      if (line.only !== undefined && line.only !== version) continue
      if (line.sampled) await world.sampled()
      const words = wordsOf(line, version, world.names)
      printed.push({ line: `${stage}: ${line.line}`, ...(await runner(words, line)) })
    }
  }
  return printed
}

/** Apache's, in its JVM. */
export const apaches =
  (tool: Tool, world: World): Runner =>
  async (words, { limitMs }) => {
    const { output, errors, ms } = await tool.run([...words, '-n', world.namesrvAddr], limitMs)
    return { output, errors, ms }
  }

/** Ours, in this process. */
export const ours =
  (world: World): Runner =>
  async (words, { once }) => {
    const begun = performance.now()
    const { output, errors } = await mqadmin([...words, ...(once?.split(' ') ?? [])], {
      NAMESRV_ADDR: world.namesrvAddr,
    })
    return { output, errors, ms: Math.round(performance.now() - begun) }
  }
