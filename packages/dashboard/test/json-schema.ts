/** A small judge of JSON Schema, of its own: what the OpenAPI document says is held against what handlers answer. */
type Schema = Readonly<Record<string, unknown>>

const typeOf = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'array' : Number.isInteger(value) ? 'integer' : typeof value

/** What is wrong with a value; empty for nothing. Keywords that it does not know are wrong as well. */
export function violations(schema: Schema, value: unknown, at = '$'): string[] {
  const known =
    'type enum anyOf items maxItems properties required additionalProperties minimum maximum maxLength minLength maxProperties description'
  const strange = Object.keys(schema).filter(key => !known.split(' ').includes(key))
  if (strange.length > 0) return [`${at}: keyword ${strange.join(', ')}`]
  if (Array.isArray(schema['anyOf'])) {
    const all = (schema['anyOf'] as Schema[]).map(one => violations(one, value, at))
    return all.some(found => found.length === 0) ? [] : all[0]!
  }
  const type = typeOf(value)
  if (schema['type'] !== type && !(schema['type'] === 'number' && type === 'integer'))
    return [`${at}: ${type} where ${String(schema['type'])} is said`]
  if (Array.isArray(schema['enum']) && !schema['enum'].includes(value))
    return [`${at}: ${String(value)} is none of the enum`]
  if (typeof value === 'number') return range(schema, value, ['minimum', 'maximum'], at)
  if (typeof value === 'string') return range(schema, value.length, ['minLength', 'maxLength'], at)
  if (Array.isArray(value))
    return [
      ...range(schema, value.length, ['', 'maxItems'], at),
      ...value.flatMap((one, i) => violations(schema['items'] as Schema, one, `${at}[${i}]`)),
    ]
  return type === 'object' ? ofObject(schema, value as Record<string, unknown>, at) : []
}

function range(schema: Schema, size: number, [least = '', most = '']: readonly string[], at: string): string[] {
  const [min, max] = [schema[least] as number | undefined, schema[most] as number | undefined]
  return (min !== undefined && size < min) || (max !== undefined && size > max)
    ? [`${at}: ${size} is out of bounds`]
    : []
}

function ofObject(schema: Schema, value: Record<string, unknown>, at: string): string[] {
  const properties = (schema['properties'] ?? {}) as Record<string, Schema>
  const others = schema['additionalProperties']
  const missing = ((schema['required'] ?? []) as string[]).filter(name => !(name in value))
  return [
    ...missing.map(name => `${at}: ${name} is missing`),
    ...range(schema, Object.keys(value).length, ['', 'maxProperties'], at),
    ...Object.entries(value).flatMap(([name, one]) => {
      const own = properties[name] ?? (typeof others === 'object' ? (others as Schema) : undefined)
      return own === undefined ? [`${at}: ${name} is not said`] : violations(own, one, `${at}.${name}`)
    }),
  ]
}
