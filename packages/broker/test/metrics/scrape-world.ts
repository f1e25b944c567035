import type { BrokerConfig } from '../../src/index.ts'
import { World } from '../world.ts'
import { type ParsedFamily, parseExposition, type Sample } from './exposition-parser.ts'

export const metricsPort = 5557

/** A simulated broker with metrics. */
export const metricsWorld = (config: Partial<BrokerConfig> = {}) =>
  new World({ metricsExporterType: 'PROM', ...config })

export const ask = (world: World, path: string) =>
  world.settle(world.runtime.http.ask(metricsPort, path)).then(({ status, type, pieces }) => ({
    ...{ status, type, pieces },
    text: pieces.join(''),
  }))

export class Scraped {
  readonly families: Map<string, ParsedFamily>

  constructor(text: string) {
    this.families = parseExposition(text)
  }

  samples(name: string): readonly Sample[] {
    const family = name.replace(/_(bucket|sum|count)$/, '')
    const { samples = [] } = this.families.get(name) ?? this.families.get(family) ?? {}
    return samples.filter(sample => sample.name === name)
  }

  /** The one value of a name with these labels; undefined where there is none. */
  value(name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
    const found = this.samples(name).filter(sample =>
      Object.entries(labels).every(([label, value]) => sample.labels.get(label) === value),
    )
    if (found.length > 1) throw new Error(`${found.length} series of ${name} have these labels`)
    return found[0]?.value
  }
}

export async function scraped(world: World): Promise<Scraped> {
  const { status, text } = await ask(world, '/metrics')
  if (status !== 200) throw new Error(`${status}: ${text}`)
  return new Scraped(text)
}
