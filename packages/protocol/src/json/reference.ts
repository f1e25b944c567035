/** What fastjson writes for an object that it wrote before: `{"$ref":"$.path"}` (remoting.md 5.1). */
export class Reference {
  readonly path: string
  /** The object or array that holds the reference: `..` and `@` mean it. */
  readonly holder: object
  constructor(path: string, holder: object) {
    this.path = path
    this.holder = holder
  }
}

export interface Place {
  readonly reference: Reference
  put(value: unknown): void
}

/** References that lead to references are followed this far. */
const maxReferenceHops = 32

/**
 * Puts the meant objects in the places of the references; a path that leads nowhere reads as null, as in Java. Paths may lead
 * through further references, and so cost far more than they weigh: in sum they are followed a few times as far as the
 * text is long. Throws SyntaxError beyond.
 */
export function resolveReferences(root: unknown, places: readonly Place[], textLength: number): void {
  const walk = new Walk(root, stepsPerCharacter * textLength)
  for (const { reference, put } of places) put(walk.follow(reference, 0))
}

/** Honest references have the length of their paths, each once. */
const stepsPerCharacter = 4

/** All references of one text, with the steps that are left. */
class Walk {
  private readonly root: unknown
  private steps: number
  /** Members of maps with object keys by the keys' texts, made once for each map. */
  private readonly byText = new Map<ReadonlyMap<unknown, unknown>, ReadonlyMap<string, unknown>>()

  constructor(root: unknown, steps: number) {
    this.root = root
    this.steps = steps
  }

  follow(reference: Reference, hops: number): unknown {
    if (hops > maxReferenceHops) return null
    if (reference.path === '..' || reference.path === '@') return reference.holder
    this.steps -= reference.path.length
    if (this.steps < 0) throw new SyntaxError('references lead through references too often')
    let value = this.root
    for (const segment of segmentsOf(reference.path)) {
      value = this.child(value, segment)
      if (value instanceof Reference) value = this.follow(value, hops + 1)
    }
    return value ?? null
  }

  private child(value: unknown, segment: string): unknown {
    if (value instanceof Map) return this.textsOf(value).get(segment)
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, segment)) return undefined
    return (value as Record<string, unknown>)[segment]
  }

  private textsOf(map: ReadonlyMap<unknown, unknown>): ReadonlyMap<string, unknown> {
    const known = this.byText.get(map)
    if (known !== undefined) return known
    const texts = new Map<string, unknown>()
    for (const [key, member] of map) if (!texts.has(keyText(key))) texts.set(keyText(key), member)
    this.byText.set(map, texts)
    return texts
  }
}

/** `$.a.b[0]` with backslashes before whatever is special in a name. */
function segmentsOf(path: string): string[] {
  const segments: string[] = []
  const pattern = /\.((?:[^.[\]\\]|\\.)+)|\[(?:(\d+)|'([^']*)'|"([^"]*)")\]/y
  pattern.lastIndex = path.startsWith('$') ? 1 : 0
  while (pattern.lastIndex < path.length) {
    const found = pattern.exec(path)
    if (found === null) return ['']
    segments.push(found[1]?.replaceAll(/\\(.)/g, '$1') ?? found[2] ?? found[3] ?? found[4] ?? '')
  }
  return segments
}

/** A path names the key of a map by Java's toString; of the objects that are keys, that is MessageQueue's. */
function keyText(key: unknown): string {
  if (typeof key !== 'object' || key === null) return String(key)
  const { topic, brokerName, queueId } = key as Record<string, unknown>
  return `MessageQueue [topic=${String(topic)}, brokerName=${String(brokerName)}, queueId=${String(queueId)}]`
}
