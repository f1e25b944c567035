import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { JsonMembers } from '../../src/json/members.ts'

/** What is found when objects are opened down to this depth. */
function read(text: string, { depth, step }: { depth: number; step: number }): unknown {
  const root: Record<string, unknown> = {}
  const members = new JsonMembers(Buffer.from(text), {
    opens: path => path.length < depth,
    found: (path, bytes, start, end) => put(root, path, JSON.parse(bytes.toString('utf8', start, end))),
  })
  while (!members.step(step));
  return root
}

function put(root: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let at = root
  for (const key of path.slice(0, -1)) at = (own(at, key) ?? define(at, key, {})) as Record<string, unknown>
  define(at, path.at(-1) as string, value)
}

const own = (of: object, key: string) => Object.getOwnPropertyDescriptor(of, key)?.value as unknown

function define(of: object, key: string, value: unknown): unknown {
  Object.defineProperty(of, key, { value, writable: true, enumerable: true, configurable: true })
  return value
}

/** Objects that were opened and are empty leave no trace. */
const hasEmpty = (value: unknown, depth: number): boolean =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  depth > 0 &&
  (Object.keys(value).length === 0 || Object.values(value).some(member => hasEmpty(member, depth - 1)))

test('members are those that JSON.parse finds, however the text is cut into slices', () => {
  const object = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }))
  fc.assert(
    fc.property(object, fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 9 }), (value, depth, step) => {
      fc.pre(!hasEmpty(value, depth))
      for (const text of [JSON.stringify(value), JSON.stringify(value, undefined, 1)])
        assert.deepEqual(read(text, { depth, step }), JSON.parse(text))
    }),
  )
})

test('damaged texts end with an error or with what is there', () => {
  const object = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }))
  const place = fc.nat()
  fc.assert(
    fc.property(object, place, fc.constantFrom('{', '}', '[', ']', '"', ',', ':', '\\', ''), (value, at, char) => {
      const text = JSON.stringify(value)
      const cut = at % (text.length + 1)
      try {
        read(text.slice(0, cut) + char + text.slice(cut + 1), { depth: 2, step: 5 })
      } catch (error) {
        assert.ok(error instanceof SyntaxError)
      }
    }),
  )
})
