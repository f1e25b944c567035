import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Disk, type ProcessFacts, SimTurn } from '@skua-mq/runtime'
import { Store } from '../src/index.ts'
import { StoreLock } from '../src/owner/store-lock.ts'
import { factsOf, smallConfig, type World, world } from './harness.ts'

const root = '/store'
const layout = { root, owner: `${root}/skua.owner`, javaLock: `${root}/lock` } as never

/** Two processes that live, and one that is dead. */
const facts = (pid: number): ProcessFacts => ({
  ...factsOf('boot', pid),
  instance: `run of ${pid}`,
  startedAt: other => (other === 3 ? undefined : `start of ${other}`),
})

const lockOf = (disk: Disk, pid: number) => new StoreLock({ disk, layout, facts: facts(pid) })

function tries(lock: StoreLock): boolean {
  try {
    lock.acquire()
    return true
  } catch (error) {
    assert.equal((error as { code?: string }).code, 'ESTORELOCKED')
    return false
  }
}

/** The disk of one process, on which `then` runs just before the call with this number. */
function interrupted(disk: Disk, at: number, then: () => void): { disk: Disk; calls: () => number } {
  let calls = 0
  const proxy = new Proxy(disk, {
    get(target, name) {
      const member = Reflect.get(target, name) as unknown
      if (typeof member !== 'function') return member
      return (...args: unknown[]) => {
        if (calls++ === at) then()
        return member.apply(target, args) as unknown
      }
    },
  })
  return { disk: proxy, calls: () => calls }
}

/** Before: nothing, the file of an owner that is dead, a torn one. */
const befores: Record<string, (at: World) => void> = {
  nothing: () => {},
  'a dead owner': ({ disk }) => lockOf(disk, 3).acquire(),
  'a dead owner, whose successor died as it took over': ({ disk }) => {
    lockOf(disk, 3).acquire()
    disk.writeFile(`${root}/skua.owner.takeover`, disk.readFile(`${root}/skua.owner`))
  },
  'a torn file': ({ disk }) => disk.writeFile(`${root}/skua.owner`, Buffer.from('{"pi')),
}

for (const [name, before] of Object.entries(befores)) {
  test(`of two processes that race for a store one has it, whatever comes between: ${name}`, () => {
    for (let at = 0; ; at++) {
      const on = world()
      on.disk.makeDirectory(root)
      before(on)
      let second = false
      const first = interrupted(on.disk, at, () => {
        second = tries(lockOf(on.disk, 2))
      })
      const won = tries(lockOf(first.disk, 1))
      // The loser lets nothing go that is the winner's.
      assert.equal(Number(won) + Number(second), 1, `before call ${at}`)
      const owner = JSON.parse(on.disk.readFile(`${root}/skua.owner`).toString()) as { pid: number }
      assert.equal(owner.pid, won ? 1 : 2)
      if (first.calls() <= at) break
    }
  })
}

test('two stores of one process on one directory: the second is refused, and may have it after the first', async () => {
  const at = world()
  const make = () =>
    new Store(smallConfig, { ...at, turn: new SimTurn(), facts: { ...factsOf('boot'), instance: 'one' } })
  const first = make()
  await at.clock.until(first.start())
  const second = make()
  await assert.rejects(second.start(), /is open in this process/)
  await at.clock.until(first.stop())
  await at.clock.until(second.start())
  await at.clock.until(second.stop())
})

test('the process before us had our pid, as in a container: its store is ours', async () => {
  const at = world()
  const run = (instance: string) =>
    new Store(smallConfig, { ...at, turn: new SimTurn(), facts: { ...factsOf('boot'), instance } })
  await at.clock.until(run('killed').start())
  await at.clock.until(run('its successor').start())
})
