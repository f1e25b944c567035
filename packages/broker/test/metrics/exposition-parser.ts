/** A sample as it stands in a line. */
export interface Sample {
  readonly name: string
  readonly labels: ReadonlyMap<string, string>
  readonly value: number
}

export interface ParsedFamily {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly samples: Sample[]
}

const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*$/
const number = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$|^[+-]?Inf$|^NaN$/

/** One line of a sample; throws where it is none. */
export function parseSample(line: string): Sample {
  const open = line.search(/[{ ]/)
  const name = line.slice(0, open)
  if (!metricName.test(name)) throw new Error(`no name of a metric: ${line}`)
  const labels = new Map<string, string>()
  let at = open
  if (line[at] === '{') {
    at++
    while (line[at] !== '}') {
      const equals = line.indexOf('=', at)
      const label = line.slice(at, equals)
      if (!labelName.test(label)) throw new Error(`no name of a label: "${label}" in ${line}`)
      if (labels.has(label)) throw new Error(`${label} stands twice in ${line}`)
      const value = parseValue(line, equals + 1)
      labels.set(label, value.text)
      at = value.end
      if (line[at] === ',') at++
      else if (line[at] !== '}') throw new Error(`neither , nor } at ${at} of ${line}`)
    }
    at++
  }
  const [blank, value = '', timestamp, ...rest] = line.slice(at).split(' ')
  if (blank !== '' || !number.test(value) || rest.length > 0) throw new Error(`no value: ${line}`)
  if (timestamp !== undefined && !/^-?\d+$/.test(timestamp)) throw new Error(`no time: ${line}`)
  return { name, labels, value: Number(value.replace('Inf', 'Infinity')) }
}

function parseValue(line: string, start: number): { text: string; end: number } {
  if (line[start] !== '"') throw new Error(`no quote at ${start} of ${line}`)
  let text = ''
  for (let at = start + 1; at < line.length; at++) {
    if (line[at] === '"') return { text, end: at + 1 }
    if (line[at] !== '\\') text += line[at]
    else {
      at++
      const escaped = { '\\': '\\', '"': '"', n: '\n' }[line[at] ?? '']
      if (escaped === undefined) throw new Error(`\\${line[at]} is no escape: ${line}`)
      text += escaped
    }
  }
  throw new Error(`a value without end: ${line}`)
}

/**
 * The text format 0.0.4 as strictly as its page has it: families typed before their samples and each in one piece, no series
 * twice, histograms whole, ascending and cumulative, counters not negative.
 */
export function parseExposition(text: string): Map<string, ParsedFamily> {
  if (text !== '' && !text.endsWith('\n')) throw new Error('the last line has no end')
  const families = new Map<string, ParsedFamily>()
  const seen = new Set<string>()
  let help: { name: string; text: string } | undefined
  let current: ParsedFamily | undefined
  for (const line of text.split('\n').slice(0, -1)) {
    if (line.startsWith('# HELP ')) {
      const [, name = '', words = ''] = /^# HELP (\S+) (.*)$/.exec(line) ?? []
      help = { name, text: words }
    } else if (line.startsWith('# TYPE ')) {
      const [, name = '', type = ''] = /^# TYPE (\S+) (counter|gauge|histogram|summary|untyped)$/.exec(line) ?? []
      if (!metricName.test(name)) throw new Error(`no type: ${line}`)
      if (families.has(name)) throw new Error(`${name} is typed twice`)
      if (help?.name !== name) throw new Error(`${name} has no HELP before its TYPE`)
      current = { name, type, help: help.text, samples: [] }
      families.set(name, current)
    } else {
      const sample = parseSample(line)
      if (current === undefined || !belongs(sample.name, current)) throw new Error(`not of ${current?.name}: ${line}`)
      const series = `${sample.name} ${[...sample.labels].sort().join(' ')}`
      if (seen.has(series)) throw new Error(`twice: ${line}`)
      seen.add(series)
      current.samples.push(sample)
    }
  }
  for (const family of families.values()) check(family)
  return families
}

const belongs = (name: string, { name: family, type }: ParsedFamily): boolean =>
  type === 'histogram' ? [`${family}_bucket`, `${family}_sum`, `${family}_count`].includes(name) : name === family

function check({ name, type, samples }: ParsedFamily): void {
  if (samples.length === 0) throw new Error(`${name} has no samples`)
  if (type === 'counter' && samples.some(({ value }) => !(value >= 0))) throw new Error(`${name} is negative`)
  if (type !== 'histogram') return
  const rows = new Map<string, Sample[]>()
  for (const sample of samples) {
    const key = [...sample.labels].filter(([label]) => label !== 'le').join(' ')
    rows.set(key, [...(rows.get(key) ?? []), sample])
  }
  for (const [key, row] of rows) checkHistogram(`${name}{${key}}`, row)
}

function checkHistogram(what: string, row: readonly Sample[]): void {
  const of = (suffix: string) => row.filter(sample => sample.name.endsWith(suffix))
  const buckets = of('_bucket')
  if (of('_sum').length !== 1 || of('_count').length !== 1) throw new Error(`${what}: not one sum and count`)
  let [le, below] = [Number.NEGATIVE_INFINITY, 0]
  for (const { labels, value } of buckets) {
    const next = Number((labels.get('le') ?? '').replace('Inf', 'Infinity'))
    if (!(next > le)) throw new Error(`${what}: le="${labels.get('le')}" is not above ${le}`)
    if (value < below) throw new Error(`${what}: fewer below ${next} than below ${le}`)
    le = next
    below = value
  }
  if (le !== Number.POSITIVE_INFINITY) throw new Error(`${what}: no bucket for all`)
  if (of('_count')[0]!.value !== below) throw new Error(`${what}: the count is not that of all buckets`)
}
