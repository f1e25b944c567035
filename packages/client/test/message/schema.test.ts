import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jsonCodec, type StandardSchema } from '../../src/message/schema.ts'

interface Order {
  id: number
}

/** What zod and others give, by hand. */
const order: StandardSchema<unknown, Order> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: value => {
      const { id } = value as { id?: unknown }
      if (typeof id === 'number') return { value: { id } }
      return { issues: [{ message: 'must be a number', path: [{ key: 'id' }] }] }
    },
  },
}

test('values pass through the schema both ways', async () => {
  const codec = jsonCodec(order)
  const bytes = await codec.encode({ id: 7 })
  const value: Order = await codec.decode(bytes)
  assert.deepEqual(value, { id: 7 })
})

test('what does not fit is an error that names the place', async () => {
  const codec = jsonCodec(order)
  await assert.rejects(async () => codec.encode({ id: 'x' } as never), {
    code: 'MESSAGE',
    message: /id: must be a number/,
  })
  await assert.rejects(async () => codec.decode(Buffer.from('{}')), { code: 'MESSAGE' })
  await assert.rejects(async () => codec.decode(Buffer.from('{')), /not JSON/)
})
