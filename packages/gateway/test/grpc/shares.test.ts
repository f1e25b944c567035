import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Shares } from '../../src/grpc/shares.ts'

interface Call {
  readonly name: string
  readonly connection: object
}

test('above the bound the connection that holds most lets go, not the one that comes next', () => {
  const shed: string[] = []
  const held = new Map<Call, number>()
  const shares = new Shares<Call>(100, call => {
    shed.push(call.name)
    add(call, -held.get(call)!)
  })
  function add(call: Call, bytes: number): void {
    held.set(call, (held.get(call) ?? 0) + bytes)
    shares.add(call, bytes)
  }
  const hostile = {}
  for (let i = 0; i < 9; i++) add({ name: `hostile ${i}`, connection: hostile }, 10)
  const honest = { name: 'honest', connection: {} }
  add(honest, 40)
  assert.deepEqual(
    shed,
    Array.from({ length: 9 }, (_, i) => `hostile ${i}`),
  )
  add(honest, 60)
  assert.equal(shed.length, 9)
  add(honest, 1)
  assert.equal(shed.at(-1), 'honest', 'alone above the bound')
})
