import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryDisk } from '@skua-mq/runtime'
import { LocalFileOffsetStorage } from '../../../src/consume/offset-store/local-file.ts'
import { Offsets } from '../../../src/consume/offset-store/offsets.ts'

const place = { directory: '/home', clientId: '10.0.0.1@DEFAULT', group: 'cg' }
const path = '/home/10.0.0.1@DEFAULT/cg/offsets.json'
const queue = (queueId: number) => ({ topic: 'T', brokerName: 'b', queueId })

/** As Java's 4.9 wrote it. */
const javaText =
  '{\n\t"offsetTable":{{\n\t\t\t"brokerName":"b",\n\t\t\t"queueId":0,\n\t\t\t"topic":"T"\n\t\t}:7,{\n\t\t\t"brokerName":"b",\n\t\t\t"queueId":1,\n\t\t\t"topic":"T"\n\t\t}:5\n\t}\n}'

test('offsets survive in the file', async () => {
  const disk = new MemoryDisk()
  await new LocalFileOffsetStorage(disk, place).write([[queue(0), 7]])
  const again = new LocalFileOffsetStorage(disk, place)
  await again.load()
  assert.equal(await again.read(queue(0)), 7)
  assert.equal(await again.read(queue(1)), undefined)
})

test("Java's file is read, and ours keeps its other queues", async () => {
  const disk = new MemoryDisk()
  disk.makeDirectory('/home/10.0.0.1@DEFAULT/cg')
  disk.writeFile(path, Buffer.from(javaText))
  const storage = new LocalFileOffsetStorage(disk, place)
  await storage.load()
  await storage.write([[queue(0), 8]])
  const again = new LocalFileOffsetStorage(disk, place)
  await again.load()
  assert.deepEqual([await again.read(queue(0)), await again.read(queue(1))], [8, 5])
})

test('a torn file gives way to the former generation', async () => {
  const disk = new MemoryDisk()
  const storage = new LocalFileOffsetStorage(disk, place)
  await storage.write([[queue(0), 1]])
  await storage.write([[queue(0), 2]])
  disk.writeFile(path, Buffer.from('{"offsetTab'))
  const again = new LocalFileOffsetStorage(disk, place)
  await again.load()
  assert.equal(await again.read(queue(0)), 1)
})

test('when neither generation reads, the consumer does not start from nowhere in silence', async () => {
  const disk = new MemoryDisk()
  disk.makeDirectory('/home/10.0.0.1@DEFAULT/cg')
  disk.writeFile(path, Buffer.from('{'))
  disk.writeFile(`${path}.bak`, Buffer.from('{'))
  await assert.rejects(new LocalFileOffsetStorage(disk, place).load(), { code: 'OFFSET' })
})

test('positions increase only when asked to, and those of lost queues are forgotten', async () => {
  const disk = new MemoryDisk()
  const offsets = new Offsets(new LocalFileOffsetStorage(disk, place))
  offsets.update(queue(0), 10)
  offsets.update(queue(0), 9, { increaseOnly: true })
  assert.equal(offsets.inMemory(queue(0)), 10)
  offsets.update(queue(0), 3)
  offsets.update(queue(1), 4)
  await offsets.persist([queue(0)])
  assert.equal(offsets.inMemory(queue(1)), undefined)
  assert.equal(await offsets.readStored(queue(0)), 3)
  assert.equal(await offsets.read(queue(1)), undefined)
})

test('writes that come together end with the last one in the file, and none fails', async () => {
  const disk = new MemoryDisk()
  const storage = new LocalFileOffsetStorage(disk, place)
  await Promise.all([1, 2, 3].map(offset => storage.write([[queue(0), offset]])))
  assert.ok(disk.stat(path) !== undefined, 'the file itself, not only its former generation')
  const again = new LocalFileOffsetStorage(disk, place)
  await again.load()
  assert.equal(await again.read(queue(0)), 3)
})
