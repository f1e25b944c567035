import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  bool,
  bytes,
  type Config,
  configOf,
  describeOptions,
  describeUnknown,
  hours,
  int,
  long,
  millis,
  OptionError,
  oneOf,
  path,
  percent,
  port,
  printConfig,
  readOptions,
  readProperties,
  text,
  word,
} from '../src/index.ts'

let asked = 0
const hostName = () => {
  asked++
  return 'the-host'
}

const table = {
  brokerName: word({ default: hostName, help: 'name shared by the master and its slaves' }),
  listenPort: port({ default: 10911, help: 'main port' }),
  brokerId: long({ default: 0, min: 0, help: '0 is the master' }),
  namesrvAddr: text({ default: '', help: 'name servers' }),
  mappedFileSizeCommitLog: bytes({ default: 2 ** 30, help: 'bytes of a segment', aliases: ['mapedFileSizeCommitLog'] }),
  flushDiskType: oneOf(['ASYNC_FLUSH', 'SYNC_FLUSH'], { default: 'ASYNC_FLUSH', help: 'when to answer', live: true }),
  fileReservedTime: hours({ default: 72, help: 'age of deletion', live: true }),
  diskMaxUsedSpaceRatio: percent({ default: 75, help: 'fill at which segments go', live: true }),
  syncFlushTimeout: millis({ default: 5_000, help: 'wait for the flush' }),
  enablePropertyFilter: bool({ default: false, help: 'SQL92', since: '0.2.0' }),
  sendMessageThreadPoolNums: int({ default: 4, help: 'threads of send', effect: 'none' }),
  storePathRootDir: path({ default: '~/store', help: 'the store' }),
} as const

type TableConfig = Config<typeof table>

const read = (conf: string) => readOptions(table, readProperties(conf), { file: 'broker.conf' })

test('the configuration has the types of its table', () => {
  const { config } = read('')
  const typed: TableConfig = config
  const flush: 'ASYNC_FLUSH' | 'SYNC_FLUSH' = typed.flushDiskType
  const size: number = typed.mappedFileSizeCommitLog
  const filter: boolean = typed.enablePropertyFilter
  assert.deepEqual([flush, size, filter], ['ASYNC_FLUSH', 2 ** 30, false])
  // @ts-expect-error not in the table
  assert.equal(typed.nothing, undefined)
})

test('what the file says counts, the rest is the default, and nothing can be changed', () => {
  const { config, reports } = read('brokerId=2\nflushDiskType = SYNC_FLUSH\nenablePropertyFilter=TRUE\n')
  assert.equal(config.brokerId, 2)
  assert.equal(config.flushDiskType, 'SYNC_FLUSH')
  assert.equal(config.enablePropertyFilter, true)
  assert.equal(config.fileReservedTime, 72)
  assert.deepEqual(reports, { unknown: [], withoutEffect: [] })
  assert.throws(() => {
    Object.assign(config, { brokerId: 3 })
  }, TypeError)
})

test('a computed default is asked for only when it is needed', () => {
  asked = 0
  assert.equal(read('brokerName=broker-a').config.brokerName, 'broker-a')
  describeOptions(table)
  assert.equal(asked, 0)
  assert.equal(read('').config.brokerName, 'the-host')
  assert.equal(asked, 1)
})

test('the last entry of a key wins', () => {
  assert.equal(read('brokerId=1\nbrokerId=2').config.brokerId, 2)
})

test('the old spelling works, the new one wins wherever it stands', () => {
  assert.equal(read('mapedFileSizeCommitLog=1024').config.mappedFileSizeCommitLog, 1024)
  assert.equal(read('mappedFileSizeCommitLog=2\nmapedFileSizeCommitLog=1').config.mappedFileSizeCommitLog, 2)
  assert.equal(read('mapedFileSizeCommitLog=1\nmappedFileSizeCommitLog=2').config.mappedFileSizeCommitLog, 2)
})

test('an unknown key is reported with file, line and the key that was probably meant', () => {
  const { reports } = read('# comment\n\nfileReserveTime=48\nsomethingElseEntirely=1\n')
  assert.deepEqual(reports.unknown, [
    { key: 'fileReserveTime', place: 'broker.conf:3: ', nearest: 'fileReservedTime' },
    { key: 'somethingElseEntirely', place: 'broker.conf:4: ', nearest: undefined },
  ])
  assert.deepEqual(reports.unknown.map(describeUnknown), [
    'broker.conf:3: unknown key fileReserveTime; did you mean fileReservedTime?',
    'broker.conf:4: unknown key somethingElseEntirely',
  ])
  for (const key of ['__proto__', 'constructor', 'toString']) {
    assert.equal(read(`${key}=1`).reports.unknown.length, 1, key)
  }
})

test('a key without effect is named once', () => {
  const { reports } = read('sendMessageThreadPoolNums=8\nbrokerId=1\nsendMessageThreadPoolNums=16\n')
  assert.deepEqual(reports.withoutEffect, [{ key: 'sendMessageThreadPoolNums', place: 'broker.conf:3: ' }])
})

test('a value that does not fit is refused in one line that says where, what, and what it must be', () => {
  const refused: [string, string][] = [
    ['listenPort=abc', 'broker.conf:1: listenPort is "abc" and must be a whole number from 0 to 65535'],
    ['listenPort=70000', 'broker.conf:1: listenPort is "70000" and must be a whole number from 0 to 65535'],
    ['\nbrokerId=1.5', 'broker.conf:2: brokerId is "1.5" and must be a whole number of at least 0'],
    ['brokerId=', 'broker.conf:1: brokerId is "" and must be a whole number of at least 0'],
    ['brokerId=-1', 'broker.conf:1: brokerId is "-1" and must be a whole number of at least 0'],
    [
      'flushDiskType=SYNC',
      'broker.conf:1: flushDiskType is "SYNC" and must be ASYNC_FLUSH or SYNC_FLUSH; did you mean SYNC_FLUSH?',
    ],
    ['enablePropertyFilter=yes', 'broker.conf:1: enablePropertyFilter is "yes" and must be true or false'],
    ['brokerName=a b', 'broker.conf:1: brokerName is "a b" and must be one word'],
    [
      'diskMaxUsedSpaceRatio=101',
      'broker.conf:1: diskMaxUsedSpaceRatio is "101" and must be a whole number from 0 to 100, in percent',
    ],
    [
      'sendMessageThreadPoolNums=2147483648',
      'broker.conf:1: sendMessageThreadPoolNums is "2147483648" and must be a whole number',
    ],
  ]
  for (const [conf, message] of refused) {
    assert.throws(
      () => read(conf),
      (error: OptionError) => error instanceof OptionError && error.message === message,
      conf,
    )
  }
  assert.throws(() => readOptions(table, [{ key: 'brokerId', value: 'x' }]), /^OptionError: brokerId is "x"/)
})

test("Java's largest long is the largest number of ours", () => {
  assert.equal(read('brokerId=9223372036854775807').config.brokerId, Number.MAX_SAFE_INTEGER)
  assert.throws(() => read('brokerId=9007199254740993'), OptionError)
})

test('every key is described from its table', () => {
  const rows = describeOptions(table)
  assert.deepEqual(
    rows.map(row => row.key),
    Object.keys(table),
  )
  assert.deepEqual(rows[0], {
    key: 'brokerName',
    kind: 'word',
    default: '(computed)',
    help: 'name shared by the master and its slaves',
    live: false,
    effect: 'full',
    aliases: [],
    since: undefined,
  })
  const row = (key: string) => rows.find(candidate => candidate.key === key)
  assert.equal(row('fileReservedTime')?.kind, 'hours')
  assert.equal(row('fileReservedTime')?.live, true)
  assert.equal(row('flushDiskType')?.kind, 'ASYNC_FLUSH or SYNC_FLUSH')
  assert.equal(row('sendMessageThreadPoolNums')?.effect, 'none')
  assert.equal(row('enablePropertyFilter')?.since, '0.2.0')
  assert.deepEqual(row('mappedFileSizeCommitLog')?.aliases, ['mapedFileSizeCommitLog'])
})

test('the configuration in effect is printed as properties that read back the same', () => {
  const { config } = read('namesrvAddr=a:1;b:2\nstorePathRootDir=C:\\\\data\\u00e9\nbrokerId=7')
  const printed = printConfig(table, config)
  assert.match(printed, /^brokerName=the-host\nlistenPort=10911\n/)
  assert.deepEqual(readOptions(table, readProperties(printed)).config, config)
})

test('a configuration can be made from changes to the defaults', () => {
  const config = configOf(table, { brokerId: 5 })
  assert.equal(config.brokerId, 5)
  assert.equal(config.listenPort, 10911)
  assert.ok(Object.isFrozen(config))
})

test('values that a program gives are of keys that there are, and of their kind', () => {
  const table = { fileSize: int({ help: 'x', default: 5 }), isOn: bool({ help: 'x', default: false }) }
  assert.deepEqual({ ...configOf(table, { fileSize: 7 }) }, { fileSize: 7, isOn: false })
  const wrong = (changes: object) => () => configOf(table, changes as never)
  assert.throws(wrong({ filesize: 7 }), /there is no key filesize; did you mean fileSize\?/)
  assert.throws(wrong({ isOn: 'yes' }), /isOn must be a boolean: "yes" was given/)
})
