import { type Option, type OptionTable, type PropertyEntry, printConfig, readProperties } from '@skua-mq/runtime'
import { type NameServerConfig, nameServerOptions } from './options.ts'

/** Keys that nobody may change from afar: they name files of the server's machine (admin.md 1, code 318). */
const guarded = new Set(['kvConfigPath', 'configStorePath', 'rocketmqHome', 'configBlackList'])

/** Why an update was refused: nothing of it was taken. */
export interface UpdateRefusal {
  readonly guarded: boolean
  readonly reason: string
}

/** The options of a running name server; those marked live may be changed by tools. */
export class LiveConfig {
  private current: NameServerConfig
  /** Keeps the changed keys for the next start; undefined where there is no file to keep them in. */
  private readonly keep: ((changes: readonly (readonly [key: string, value: string])[]) => void) | undefined

  constructor(config: NameServerConfig, keep?: (changes: readonly (readonly [key: string, value: string])[]) => void) {
    this.current = config
    this.keep = keep
  }

  get values(): NameServerConfig {
    return this.current
  }

  /** All values as the text of a properties file. */
  print(): string {
    return printConfig(nameServerOptions, this.current)
  }

  /** Takes all of the text or nothing. Unknown keys are ignored, as in RocketMQ; a value that does not change is no change. */
  update(text: string): UpdateRefusal | undefined {
    const entries = readProperties(text)
    const named = entries.find(entry => guarded.has(entry.key))
    if (named !== undefined) return { guarded: true, reason: `${named.key} may not be changed from afar` }
    const changes: Record<string, unknown> = {}
    for (const entry of entries) {
      const problem = this.take(entry, changes)
      if (problem !== undefined) return { guarded: false, reason: problem }
    }
    if (Object.keys(changes).length === 0) return undefined
    this.current = Object.freeze({ ...this.current, ...changes })
    this.keep?.(Object.entries(changes).map(([key, value]) => [key, String(value)]))
    return undefined
  }

  private take({ key, value }: PropertyEntry, changes: Record<string, unknown>): string | undefined {
    const option = (nameServerOptions as OptionTable)[key] as Option<unknown> | undefined
    if (option === undefined) return undefined
    let parsed: unknown
    try {
      parsed = option.parse(value)
    } catch (error) {
      return `${key} is ${JSON.stringify(value)} and must be ${(error as Error).message}`
    }
    if (parsed === (this.current as Record<string, unknown>)[key]) return undefined
    if (!option.live) return `${key} takes effect at the start only: set it in the configuration file`
    changes[key] = parsed
    return undefined
  }
}
