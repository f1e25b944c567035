import assert from 'node:assert/strict'
import test from 'node:test'
import { ConfigFile, EventHub, SimClock, SimDisk, SimRandom } from '../src/index.ts'

function world() {
  const clock = new SimClock()
  return { clock, disk: new SimDisk(clock), events: new EventHub() }
}

const parse = (bytes: Buffer) => JSON.parse(bytes.toString()) as { n: number }
const print = (n: number) => Buffer.from(JSON.stringify({ n }))

test('what was saved last is loaded, and the generation before is kept', () => {
  const at = world()
  const file = new ConfigFile('/config/topics.json', at)
  assert.equal(file.load(parse), undefined)
  file.save(print(1))
  file.save(print(2))
  assert.deepEqual(file.load(parse), { n: 2 })
  assert.deepEqual(parse(at.disk.readFile('/config/topics.json.bak')), { n: 1 })
})

test('a damaged newest generation falls back to the one before with a warning, and never to nothing', () => {
  for (const damage of ['{"n":', '']) {
    const at = world()
    const events: string[] = []
    at.events.subscribe(event => events.push(event.name))
    const file = new ConfigFile('/config/topics.json', at)
    file.save(print(1))
    file.save(print(2))
    at.disk.writeFile('/config/topics.json', Buffer.from(damage))
    assert.deepEqual(file.load(parse), { n: 1 })
    assert.deepEqual(events, ['configuration file damaged'])
    file.save(print(3))
    assert.deepEqual(parse(at.disk.readFile('/config/topics.json.bak')), { n: 1 }, 'the good one is not overwritten')
    at.disk.writeFile('/config/topics.json.bak', Buffer.from('x'))
    at.disk.writeFile('/config/topics.json', Buffer.from('x'))
    assert.throws(() => file.load(parse), /ECONFIG|cannot be read/)
  }
})

test('a power cut leaves the old or the new generation, also between the steps of a save', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const at = world()
    const random = new SimRandom(seed)
    const life = { alive: true }
    new ConfigFile('/config/topics.json', at).save(print(1))
    at.disk.faults.fail({ on: random.chance(0.5) ? 'names' : 'write', code: 'EIO', skip: random.int(4) })
    const file = new ConfigFile('/config/topics.json', { ...at, disk: at.disk.forProcess(life) })
    let saved = true
    try {
      file.save(print(2))
    } catch {
      saved = false
    }
    life.alive = false
    at.disk.faults.clear()
    at.disk.powerCut(random)
    const found = new ConfigFile('/config/topics.json', at).load(parse)?.n
    if (saved) assert.equal(found, 2, `seed ${seed}`)
    else assert.ok(found === 1 || found === 2, `seed ${seed}: ${found}`)
  }
})

test('a save that a blocking one overtakes is none where that one fails', async () => {
  const at = world()
  const file = new ConfigFile('/config/topics.json', at)
  file.save(print(1))
  at.disk.faults.slow({ on: 'sync', ms: 10 })
  const saves = [file.saveLater([print(2)]), file.saveLater([print(3)])].map(save =>
    save.then(
      () => 'saved',
      (error: Error) => error.message,
    ),
  )
  await at.clock.advanceAsync(5)
  const lift = at.disk.faults.fail({ on: 'write', code: 'ENOSPC', path: 'topics.json.tmp' })
  assert.throws(() => file.save(print(4)), /ENOSPC/)
  lift()
  for (const outcome of await at.clock.until(Promise.all(saves))) assert.match(outcome, /ENOSPC/)
  assert.deepEqual(file.load(parse), { n: 1 })
  await at.clock.until(file.saveLater([print(5)]))
  assert.deepEqual(file.load(parse), { n: 5 })
})
