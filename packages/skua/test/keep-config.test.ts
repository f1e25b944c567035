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

test('a value cannot bring a key of its own into the file, and comes back as it was', () => {
  for (const value of ['04\nstorePathRootDir=/tmp/x', '04\r\nbrokerIP1=1.2.3.4', ' 04', '\t04\f', '', '04\\']) {
    for (const text of [before, 'deleteWhen=1\n', 'a=1']) {
      const entries = readProperties(changedText(text, new Map([['deleteWhen', value]])))
      const keys = new Set([...readProperties(text).map(({ key }) => key), 'deleteWhen'])
      assert.deepEqual(new Set(entries.map(({ key }) => key)), keys)
      assert.equal(entries.find(({ key }) => key === 'deleteWhen')?.value, value.trim())
    }
  }
})

test('a last line that would go on in the next one does not swallow what is kept', () => {
  for (const text of ['a=1\\', 'a=1\\\n']) {
    const read = readProperties(changedText(text, new Map([['b', '2']])))
    assert.deepEqual(
      read.map(({ key, value }) => [key, value]),
      [
        ['a', '1'],
        ['b', '2'],
      ],
    )
  }
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

test('a file in UTF-8 stays one, and one in ISO 8859-1 too', () => {
  for (const encoding of ['utf8', 'latin1'] as const) {
    const disk = new SimDisk(new SimClock())
    disk.makeDirectory('/conf')
    const own = encoding === 'utf8' ? '# 名字\nregionId=上海\n' : '# für mich\nregionId=Köln\n'
    disk.writeFile('/conf/broker.conf', Buffer.from(own, encoding))
    keepIn('/conf/broker.conf', { disk, events: new EventHub() })(new Map([['brokerName', 'b']]))
    assert.equal(disk.readFile('/conf/broker.conf').toString(encoding), `${own}brokerName=b\n`)
  }
})
