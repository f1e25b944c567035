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

/** Puts the meant objects in the places of the references; a path that leads nowhere reads as null, as in Java. */
export function resolveReferences(root: unknown, places: readonly Place[]): void {
  for (const { reference, put } of places) put(follow(root, reference, 0))
}

function follow(root: unknown, reference: Reference, hops: number): unknown {
  if (hops > maxReferenceHops) return null
  if (reference.path === '..' || reference.path === '@') return reference.holder
  let value = root
  for (const segment of segmentsOf(reference.path)) {
    value = child(value, segment)
    if (value instanceof Reference) value = follow(root, value, hops + 1)
  }
  return value ?? null
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

function child(value: unknown, segment: string): unknown {
  if (value instanceof Map) {
    for (const [key, member] of value) if (keyText(key) === segment) return member
    return undefined
  }
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, segment)) return undefined
  return (value as Record<string, unknown>)[segment]
}

/** A path names the key of a map by Java's toString; of the objects that are keys, that is MessageQueue's. */
function keyText(key: unknown): string {
  if (typeof key !== 'object' || key === null) return String(key)
  const { topic, brokerName, queueId } = key as Record<string, unknown>
  return `MessageQueue [topic=${String(topic)}, brokerName=${String(brokerName)}, queueId=${String(queueId)}]`
}
