/** What an attribute of a topic may say here. */
interface Attribute {
  readonly values: readonly string[]
  /** May be changed when the topic is there. */
  readonly isChangeable: boolean
}

/** Attributes of 5.x (admin.md 2). Values that ask for what this broker does not have are left out. */
const known: Readonly<Record<string, Attribute>> = {
  'message.type': {
    values: ['UNSPECIFIED', 'NORMAL', 'FIFO', 'DELAY', 'TRANSACTION', 'MIXED'],
    isChangeable: true,
  },
  'queue.type': { values: ['SimpleCQ'], isChangeable: false },
  'cleanup.policy': { values: ['DELETE'], isChangeable: false },
  'reserve.time': { values: ['-1'], isChangeable: true },
}

export type TopicAttributes = ReadonlyMap<string, string>

/**
 * What tools ask for, in words of theirs: `+name=value` sets, `-name` takes away, joined by commas. Returns the attributes as
 * they are then, or the reason why not.
 */
export function changedAttributes(before: TopicAttributes | undefined, asked: string): Map<string, string> | string {
  const after = new Map(before)
  const seen = new Set<string>()
  for (const part of asked.split(',').map(each => each.trim())) {
    if (part === '') continue
    const [, sign, name = '', value] = /^([+-])([^=+-]+)(?:=(.*))?$/.exec(part) ?? []
    if (sign === undefined) return `the attribute "${part}" is neither +name=value nor -name`
    if (seen.has(name)) return `the attribute ${name} is asked for twice`
    seen.add(name)
    const attribute = known[name]
    if (attribute === undefined) return `the attribute "${part}" is none of ${Object.keys(known).join(', ')}`
    const reason = sign === '-' ? taken(after, name) : given({ before, after, name, value: value ?? '', attribute })
    if (reason !== undefined) return reason
  }
  return after
}

/** A tool that takes away what was never there has what it wants. */
function taken(after: Map<string, string>, name: string): string | undefined {
  if (!after.has(name)) return undefined
  if (!known[name]?.isChangeable) return `the attribute ${name} of a topic cannot be taken away`
  after.delete(name)
  return undefined
}

function given({
  before,
  after,
  name,
  value,
  attribute: { values, isChangeable },
}: {
  before: TopicAttributes | undefined
  after: Map<string, string>
  name: string
  value: string
  attribute: Attribute
}): string | undefined {
  if (!values.includes(value))
    return `the attribute "+${name}=${value}" asks for something that topics of this broker do not have: ${name} is ${values.join(' or ')}`
  if (!isChangeable && before?.has(name) && before.get(name) !== value)
    return `the attribute ${name} of a topic that is there cannot be changed`
  after.set(name, value)
  return undefined
}
