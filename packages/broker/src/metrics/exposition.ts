import type { Histogram } from '@skua-mq/runtime'
import type { Family } from './family.ts'
import { overflow, overflowLabel, type Samples } from './source.ts'

/** Content-Type of what this writes: the text format of Prometheus. */
export const expositionType = 'text/plain; version=0.0.4; charset=utf-8'

const scope = 'otel_scope_name="broker-meter"'

/** The parts of a sample's labels that are the same for all of a family: before, between and behind the values. */
interface Template {
  readonly family: Family
  readonly head: string
  readonly fixed: readonly string[]
  /** Upper ends as `le` carries them, by the bounds of the histogram that was written last. */
  les: readonly string[]
  bounds: readonly number[] | undefined
}

export interface ExpositionParts {
  /** Labels that all samples carry. */
  readonly labels: Readonly<Record<string, string>>
  /** metricsOtelCardinalityLimit: series of one family; more are left out and counted. */
  readonly limit: number
}

/** Writes samples as text. What is written is taken away a piece at a time. */
export class Exposition implements Samples {
  /** Samples since `take`. */
  size = 0
  private text = ''
  private readonly parts: ExpositionParts
  private readonly templates = new Map<Family, Template>()
  private current: Template | undefined
  /** Series of the current family. */
  private series = 0
  private readonly left = new Map<Family, number>()

  constructor(parts: ExpositionParts) {
    this.parts = parts
  }

  sample(family: Family, labels: readonly string[], value: number): void {
    const template = this.begin(family, labels)
    if (template === undefined) return
    this.line(family.name, this.labels(template, labels), value)
  }

  histogram(family: Family, labels: readonly string[], { bounds, counts, sum }: Histogram): void {
    const template = this.begin(family, labels)
    if (template === undefined) return
    if (template.bounds !== bounds) {
      template.bounds = bounds
      template.les = bounds.map(leOf)
    }
    const own = this.labels(template, labels)
    const open = own === '' ? '{le="' : `${own.slice(0, -1)},le="`
    let below = 0
    for (let i = 0; i < counts.length; i++) {
      below += counts[i] as number
      this.line(`${family.name}_bucket`, `${open}${template.les[i] ?? '+Inf'}"}`, below)
    }
    this.line(`${family.name}_sum`, own, sum)
    this.line(`${family.name}_count`, own, below)
  }

  /** What was written since the last call. */
  take(): string {
    const { text } = this
    this.text = ''
    this.size = 0
    return text
  }

  /** Families of which series were left out, with how many. */
  get dropped(): ReadonlyMap<Family, number> {
    return this.left
  }

  /** Undefined where one more series of the family is too much. */
  private begin(family: Family, labels: readonly string[]): Template | undefined {
    let template = this.current
    if (template?.family !== family) {
      if (this.templates.has(family)) throw new Error(`samples of ${family.name} are not together`)
      template = templateOf(family, family.labels, this.parts.labels)
      this.templates.set(family, template)
      this.current = template
      this.series = 0
      this.text += `# HELP ${family.name} ${escapedHelp(family.help)}\n# TYPE ${family.name} ${family.type}\n`
    }
    if (this.series >= this.parts.limit && labels !== overflow) {
      this.left.set(family, (this.left.get(family) ?? 0) + 1)
      return undefined
    }
    this.series++
    return template
  }

  private labels(template: Template, labels: readonly string[]): string {
    if (labels !== overflow) return labelsOf(template, labels)
    return labelsOf(templateOf(template.family, [overflowLabel], this.parts.labels), labels)
  }

  private line(name: string, labels: string, value: number): void {
    this.text += `${name}${labels} ${numberOf(value)}\n`
    this.size++
  }
}

function templateOf(family: Family, labels: readonly string[], common: Readonly<Record<string, string>>): Template {
  const names = [...new Set([...labels, ...Object.keys(common)])].sort()
  const own = new Set(labels)
  let head = family.name.startsWith('rocketmq_') ? `{${scope}` : '{'
  const fixed: string[] = []
  for (const name of names) {
    const comma = head === '{' && fixed.length === 0 ? '' : ','
    const open = own.has(name) ? `${comma}${name}="` : `${comma}${name}="${escaped(common[name] ?? '')}"`
    if (fixed.length === 0) head += open
    else fixed[fixed.length - 1] += open
    if (own.has(name)) fixed.push('"')
  }
  const empty = head === '{' && fixed.length === 0
  if (empty) head = ''
  else if (fixed.length === 0) head += '}'
  else fixed[fixed.length - 1] += '}'
  return { family, head, fixed, les: [], bounds: undefined }
}

function labelsOf({ head, fixed }: Template, values: readonly string[]): string {
  let text = head
  for (let i = 0; i < fixed.length; i++) text += escaped(values[i] ?? '') + (fixed[i] as string)
  return text
}

/** As Java prints a double: boards may name an upper end. */
const leOf = (bound: number): string => (Number.isInteger(bound) ? bound.toFixed(1) : String(bound))

function numberOf(value: number): string {
  if (Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}

const special = /[\\"\n]/
const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' }

/** A label's value between its quotes. */
export const escaped = (value: string): string =>
  special.test(value) ? value.replace(/[\\"\n]/g, each => escapes[each] as string) : value

const escapedHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
