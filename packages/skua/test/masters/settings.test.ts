import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { readBrokerConfig } from '../../src/command/broker-config.ts'
import { refuseFamily } from '../../src/command/standalone-family.ts'
import { ServerProcess } from '../server-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'skua-settings-'))
after(() => rmSync(folder, { recursive: true }))

function put(path: string, text: string | Uint8Array): string {
  const full = join(folder, path)
  mkdirSync(join(full, '..'), { recursive: true })
  writeFileSync(full, text)
  return full
}

test('what a store keeps of its own goes over broker.conf and under the environment; both brokers of a family are printed', async () => {
  const store = join(folder, 'store')
  const file = put(
    'broker.conf',
    `brokerName=a\nstorePathRootDir=${store}\nfileReservedTime=1\ndeleteWhen=05\nmasters=2\n`,
  )
  put('store/config/skuaSettings.properties', 'fileReservedTime=2\ndeleteWhen=06\n')
  const printed = ServerProcess.skua(['broker', '-c', file, '-p'], { env: { SKUA_DELETE_WHEN: '07' } })
  assert.equal(await printed.exit(), 0, printed.errors)
  const [, first, second] = printed.output.split(/^# /m)
  assert.match(first!, /^a\n/)
  assert.match(first!, /^fileReservedTime=2$/m)
  assert.match(first!, /^deleteWhen=07$/m)
  assert.match(second!, /^a-1\n/)
  assert.match(second!, /^fileReservedTime=1$/m)
  assert.match(second!, /^storePathRootDir=.*store\/masters\/1$/m)
  assert.match(second!, /^listenPort=10921$/m)
})

test('a value that is none is told with the file of that store', () => {
  const kept = () => [{ key: 'fileReservedTime', value: 'soon', source: '/data/config/skuaSettings.properties:3' }]
  assert.throws(
    () => readBrokerConfig({ file: undefined, further: [], env: {}, kept }),
    /^OptionError: \/data\/config\/skuaSettings\.properties:3: fileReservedTime is "soon"/,
  )
})

test('name server and broker in one process have one master, and refuse a store of several', () => {
  const said = (masters: string) =>
    readBrokerConfig({ file: undefined, further: [{ key: 'masters', value: masters, source: '--config' }], env: {} })
  const store = join(folder, 'grown')
  assert.doesNotThrow(() => refuseFamily({ store }, said('1')))
  assert.throws(
    () => refuseFamily({ store }, said('2')),
    /^OptionError: --config: masters=2: .*skua broker --masters 2/,
  )
  put('grown/masters/1/commitlog/00000000000000000000', Buffer.from([0, 0, 0, 90]))
  assert.throws(() => refuseFamily({ store }, said('1')), /broker-a-1 \(.*grown\/masters\/1\)/)
  assert.doesNotThrow(() => refuseFamily({ store, memory: true }, said('1')))
})
