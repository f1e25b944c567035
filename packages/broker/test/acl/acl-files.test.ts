import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Event, EventHub, SimClock, SimDisk } from '@skua-mq/runtime'
import { AclFiles, aclWatchMs } from '../../src/acl/acl-files.ts'

const main = '/home/conf/plain_acl.yml'
const accountOf = (accessKey: string) => `accounts:\n- accessKey: ${accessKey}\n  secretKey: secret-of-app\n`

function setting(text = accountOf('application')) {
  const clock = new SimClock()
  const disk = new SimDisk(clock)
  const told: Event[] = []
  const events = new EventHub()
  events.subscribe(event => told.push(event))
  disk.makeDirectory('/home/conf')
  disk.writeFile(main, Buffer.from(text))
  const files = new AclFiles('/home', { disk, events, clock })
  const has = (accessKey: string) => files.rules.secretOf(accessKey) !== undefined
  return { clock, disk, told, files, has }
}

test('a file that was changed and is as long as before is read again', async () => {
  const { clock, disk, files, has } = setting()
  files.load()
  files.start()
  await clock.advanceAsync(10)
  disk.writeFile(main, Buffer.from(accountOf('applicatiox')))
  await clock.advanceAsync(aclWatchMs)
  assert.deepEqual([has('application'), has('applicatiox')], [false, true])
  files.stop()
})

test('a file of more than 8 MiB is not read: not at a start, and what was read before goes on to hold', async () => {
  const long = `${accountOf('other-one')}${'#'.repeat(8 * 1024 * 1024)}\n`
  assert.throws(() => setting(long).files.load(), /plain_acl\.yml has \d+ bytes, at most 8388608 are read/)
  const { clock, disk, told, files, has } = setting()
  files.load()
  files.start()
  await clock.advanceAsync(10)
  disk.writeFile(main, Buffer.from(long))
  await clock.advanceAsync(aclWatchMs)
  assert.deepEqual([has('application'), has('other-one')], [true, false])
  assert.equal(told.at(-1)?.name, 'access control not read again')
  files.stop()
})

test('nobody looks at the files behind a stop', async () => {
  const { clock, disk, files, has } = setting()
  files.load()
  files.start()
  files.stop()
  await clock.advanceAsync(10)
  disk.writeFile(main, Buffer.from(accountOf('other-one')))
  await clock.advanceAsync(10 * aclWatchMs)
  assert.ok(has('application'))
})

test('a change whose result would not read leaves file and rules as they were', () => {
  const { disk, files, has } = setting()
  files.load()
  const before = disk.readFile(main).toString()
  assert.throws(
    () => files.change(main, file => file.put({ accessKey: 'application', topicPerms: ['Orders=EVERYTHING'] })),
    { code: 'ECONFIG' },
  )
  assert.equal(disk.readFile(main).toString(), before)
  assert.ok(has('application'))
  files.change(main, file => file.put({ accessKey: 'other-one', secretKey: 'secret-of-app' }))
  assert.ok(has('other-one'))
})
