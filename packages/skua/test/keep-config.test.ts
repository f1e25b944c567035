import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigFile, EventHub, readProperties, SimClock, SimDisk } from '@skua-mq/runtime'
import { changedText, keepIn } from '../src/command/keep-config.ts'

const before = '# mine\nbrokerName=a\nfileReservedTime = 48\nlong=x\\\n  y\n'

test('a changed key keeps its place, others and comments stay as they are, a new one comes at the end', () => {
  const changes = new Map([
    ['fileReservedTime', '12'],
    ['brokerPermission', '4'],
  ])
  assert.equal(
    changedText(before, changes),
    '# mine\nbrokerName=a\nfileReservedTime=12\nlong=x\\\n  y\nbrokerPermission=4\n',
  )
  assert.equal(changedText('a=1', new Map([['b', '2']])), 'a=1\nb=2')
})

test('what was kept reads as what was set, also over several lines, with backslashes and beyond ASCII', () => {
  const changes = new Map([
    ['long', 'short'],
    ['path', 'C:\\dir ü'],
  ])
  const read = new Map(readProperties(changedText(before, changes)).map(({ key, value }) => [key, value]))
  assert.equal(read.get('long'), 'short')
  assert.equal(read.get('path'), 'C:\\dir ü')
})

test('the file is written whole, with the one before beside it', () => {
  const disk = new SimDisk(new SimClock())
  disk.makeDirectory('/conf')
  disk.writeFile('/conf/broker.conf', Buffer.from(before))
  keepIn('/conf/broker.conf', { disk, events: new EventHub() })(new Map([['brokerName', 'b']]))
  assert.match(disk.readFile('/conf/broker.conf').toString(), /^# mine\nbrokerName=b\n/)
  assert.equal(disk.readFile('/conf/broker.conf.bak').toString(), before)
  assert.ok(new ConfigFile('/conf/broker.conf', { disk, events: new EventHub() }).load(bytes => bytes.length))
})
