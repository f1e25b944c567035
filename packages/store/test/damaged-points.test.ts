import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { drain, message, open, put, world } from './harness.ts'

const noise = (length: number) => Buffer.from(Array.from({ length }, (_, n) => (n * 7919 + (n >> 3) * 31 + 13) % 127))

const damages: Record<string, (bytes: Buffer) => Buffer> = {
  zeros: bytes => Buffer.alloc(bytes.length),
  noise: bytes => noise(bytes.length),
  'noise at its beginning': bytes => Buffer.concat([noise(24), bytes.subarray(24)]),
  'cut to a few bytes': bytes => bytes.subarray(0, 10),
}

/** A checkpoint of zeros is that of a store without messages. */
const isSilent = (name: string, how: string) => name === 'checkpoint' && how === 'zeros'

describe('a file that says from where to recover, and is damaged, costs nothing and is said', () => {
  for (const end of ['a clean stop', 'a kill'])
    for (const name of ['checkpoint', 'skua.dispatch'])
      for (const [how, damage] of Object.entries(damages))
        test(`${name}: ${how}, after ${end}`, async () => {
          const at = world()
          const opened = await open(at)
          const bodies = Array.from({ length: 100 }, (_, n) => `message ${n}`)
          for (const body of bodies) put(opened, message('A', body))
          await at.clock.advanceAsync(130_000)
          if (end === 'a clean stop') await at.clock.until(opened.store.stop())
          const path = `/store/${name}`
          at.disk.writeFile(path, damage(at.disk.readFile(path)))
          const told: unknown[] = []
          at.events.subscribe(({ level, fields }) => level === 'warn' && told.push(fields['path']))
          const again = await open(at)
          // Of two halves a kill may have torn one.
          const isTorn = end === 'a kill' && name === 'skua.dispatch' && how === 'noise at its beginning'
          assert.deepEqual(
            told.filter(each => each === path),
            isSilent(name, how) || isTorn ? [] : [path],
          )
          put(again, message('A', 'new'))
          assert.deepEqual(await drain(again, 'A'), [...bodies, 'new'])
          const storedAtMs = await again.store.storedAt('A', 0, 100)
          assert.ok(Math.abs(storedAtMs - at.clock.now()) < 60_000, `${storedAtMs}`)
          await at.clock.until(again.store.stop())
          told.length = 0
          const third = await open(at)
          assert.deepEqual(told, [])
          await at.clock.until(third.store.stop())
        })
})
