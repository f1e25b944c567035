import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimClock, SimDisk, SimRandom } from '@skua-mq/runtime'
import { LocalFileOffsetStorage } from '../../../src/consume/offset-store/local-file.ts'

const place = { directory: '/home/.rocketmq_offsets', clientId: '10.0.0.1@DEFAULT', group: 'cg' }
const path = '/home/.rocketmq_offsets/10.0.0.1@DEFAULT/cg/offsets.json'
const queue = { topic: 'T', brokerName: 'b', queueId: 0 }

function disk() {
  const clock = new SimClock()
  const made = new SimDisk(clock)
  made.makeDirectory('/home')
  made.syncDirectory('/')
  return { clock, disk: made }
}

async function stored(on: SimDisk): Promise<number | undefined> {
  const storage = new LocalFileOffsetStorage(on, place)
  await storage.load()
  return storage.read(queue)
}

test('what was written down is there after a power cut, or what came behind it', async () => {
  for (let seed = 1; seed <= 300; seed++) {
    const { clock, disk: on } = disk()
    on.faults.slow({ on: 'sync', ms: 5 })
    const random = new SimRandom(seed)
    const storage = new LocalFileOffsetStorage(on, place)
    const writes = random.int(5)
    let [begun, done] = [0, 0]
    for (let n = 0; n < writes; n++) {
      const mine = ++begun
      void storage.write([[queue, mine]]).then(() => {
        done = mine
      })
      await clock.advanceAsync(random.int(14))
    }
    await clock.advanceAsync(random.int(8))
    const [atLeast, atMost] = [done, begun]
    on.powerCut(random)
    on.faults.clear()
    const found = (await stored(on)) ?? 0
    assert.ok(found >= atLeast && found <= atMost, `seed ${seed}: ${found} is not ${atLeast} to ${atMost}`)
  }
})

test('a disk that is full or fails leaves what was there, says so, and the next write counts', async () => {
  for (const fault of [
    { on: 'open', code: 'EMFILE' },
    { on: 'truncate', code: 'EIO' },
    { on: 'write', code: 'ENOSPC' },
    { on: 'write', code: 'ESHORTWRITE' },
    { on: 'sync', code: 'EIO' },
    { on: 'names', code: 'EROFS' },
  ] as const) {
    const { clock, disk: on } = disk()
    const storage = new LocalFileOffsetStorage(on, place)
    await clock.until(storage.write([[queue, 1]]))
    await clock.until(storage.write([[queue, 2]]))
    const lift = on.faults.fail(fault)
    await assert.rejects(clock.until(storage.write([[queue, 3]])), fault.code)
    lift()
    const atFault = await stored(on)
    assert.ok(atFault === 2 || atFault === 3, `${fault.on} ${fault.code}: ${atFault}`)
    assert.equal(on.openFiles, 0, `${fault.on}: nothing stays open`)
    await clock.until(storage.write([[queue, 4]]))
    assert.equal(await stored(on), 4)
  }
})

test('each step of a write may be the last one', async () => {
  for (let skip = 0; ; skip++) {
    const { clock, disk: on } = disk()
    const storage = new LocalFileOffsetStorage(on, place)
    await clock.until(storage.write([[queue, 1]]))
    await clock.until(storage.write([[queue, 2]]))
    const lift = on.faults.fail({ on: 'names', code: 'EIO', skip })
    const failed = await clock.until(storage.write([[queue, 3]])).then(
      () => false,
      () => true,
    )
    lift()
    const found = await stored(on)
    assert.ok(found === 2 || found === 3, `behind ${skip} steps: ${found}`)
    if (!failed) return assert.ok(skip >= 3)
  }
})

test('a file that is empty or damaged gives way to the former one, and a folder without files to nothing', async () => {
  for (const damage of ['', '{', '{"offsetTable":[]}', '\0\0\0\0']) {
    const { clock, disk: on } = disk()
    const storage = new LocalFileOffsetStorage(on, place)
    await clock.until(storage.write([[queue, 1]]))
    await clock.until(storage.write([[queue, 2]]))
    on.writeFile(path, Buffer.from(damage))
    assert.equal(await stored(on), 1, JSON.stringify(damage))
    on.remove(path)
    assert.equal(await stored(on), 1)
    on.remove(`${path}.bak`)
    assert.equal(await stored(on), undefined)
  }
})
