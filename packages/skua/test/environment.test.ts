import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brokerOptions } from '@skua-mq/broker'
import { entriesOf } from '../src/command/environment.ts'
import { ServerProcess } from './server-process.ts'

test('the environment says keys in either spelling; what is no key is left alone', () => {
  const env = { SKUA_FILE_RESERVED_TIME: '12', SKUA_brokerIP1: 'a', SKUA_REQUIRE: 'java', FILE_RESERVED_TIME: '1' }
  assert.deepEqual(entriesOf(env, brokerOptions), [
    { key: 'fileReservedTime', value: '12', source: 'SKUA_FILE_RESERVED_TIME' },
    { key: 'brokerIP1', value: 'a', source: 'SKUA_brokerIP1' },
  ])
})

test('it goes over the file and under the command line, and a wrong value is refused with its key', async () => {
  const print = async (env: Record<string, string>) => {
    const process = ServerProcess.skua(['broker', '-p'], { env })
    return { code: await process.exit(), text: process.output + process.errors }
  }
  const { text } = await print({ SKUA_FILE_RESERVED_TIME: '12', SKUA_FLUSH_DISK_TYPE: 'SYNC_FLUSH' })
  assert.match(text, /^fileReservedTime=12$/m)
  assert.match(text, /^flushDiskType=SYNC_FLUSH$/m)
  const wrong = await print({ SKUA_FILE_RESERVED_TIME: 'soon' })
  assert.equal(wrong.code, 1)
  assert.match(wrong.text, /fileReservedTime.*soon/)
})
