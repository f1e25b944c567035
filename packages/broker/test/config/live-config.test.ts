import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { getBrokerConfig, updateBrokerConfig } from '@skua-mq/protocol'
import { bool, type ConfigChanges, configOf, count, LiveConfig, SimClock, text } from '@skua-mq/runtime'
import { configRoutes } from '../../src/config/routes.ts'
import { ask } from '../harness.ts'

const table = {
  brokerPermission: count({ default: 6, live: true, max: 7, help: 'bits of the broker' }),
  rejectAll: bool({ default: false, live: true, help: 'refuse sends' }),
  listenPort: count({ default: 10_911, help: 'counts at the start' }),
  storePath: text({ default: '/store', live: true, help: 'on the black list' }),
} as const

function broker() {
  const clock = new SimClock()
  const kept: ConfigChanges[] = []
  const heard: ConfigChanges[] = []
  const config = new LiveConfig({
    table,
    config: configOf(table),
    guarded: () => ['storePath'],
    now: () => clock.now(),
    keep: changes => kept.push(changes),
  })
  config.onChange(changes => heard.push(changes))
  const routes = configRoutes(config, () => ({ brokerIP2: '10.0.0.2' }))
  const update = (properties: string) => ask(routes, updateBrokerConfig, {}, { body: Buffer.from(properties) })
  const told = async () => Buffer.from((await ask(routes, getBrokerConfig, {})).body!).toString()
  return { clock, config, kept, heard, routes, update, told }
}

describe('25', () => {
  test('changes live options where they are read, tells whoever listens, and hands them on to be kept', async () => {
    const { config, kept, heard, update } = broker()
    const { values } = config
    assert.equal((await update('brokerPermission=4\nrejectAll=true\n')).code, 0)
    assert.deepEqual([values.brokerPermission, values.rejectAll], [4, true])
    const changes = new Map([
      ['brokerPermission', '4'],
      ['rejectAll', 'true'],
    ])
    assert.deepEqual([kept, heard], [[changes], [changes]])
  })

  test('an unknown key is refused with the one that was meant, and nothing of its update is taken', async () => {
    const { config, heard, update } = broker()
    for (const key of ['brokerPermision', 'toString']) {
      const reply = await update(`rejectAll=true\n${key}=1\n`)
      assert.equal(reply.code, 1)
      assert.match(reply.remark ?? '', new RegExp(`^${key} is no key of this server`))
    }
    assert.match((await update('brokerPermision=1\n')).remark ?? '', /did you mean brokerPermission\?/)
    assert.deepEqual(heard, [])
    assert.equal(config.version.counter, 0)
  })

  test('what stays as it is is no change', async () => {
    const { config, heard, update } = broker()
    assert.equal((await update('brokerPermission=6\nlistenPort=10911\n')).code, 0)
    assert.deepEqual(heard, [])
    assert.equal(config.version.counter, 0)
  })

  test('the last of repeated keys counts', async () => {
    const { heard, update } = broker()
    await update('brokerPermission=4\nbrokerPermission=6\n')
    assert.deepEqual(heard, [])
  })

  test('takes nothing of an update that names a key of the black list, and answers 16', async () => {
    const { config, update } = broker()
    const reply = await update('brokerPermission=4\nstorePath=/elsewhere\n')
    assert.equal(reply.code, 16)
    assert.match(reply.remark ?? '', /storePath/)
    assert.equal(config.values.brokerPermission, 6)
  })

  test('takes nothing of an update with an option that counts at the start only, or with a bad value, and says which', async () => {
    const { config, update } = broker()
    for (const [properties, reason] of [
      ['brokerPermission=4\nlistenPort=1\n', /listenPort takes effect at the start only/],
      ['rejectAll=true\nbrokerPermission=9\n', /brokerPermission is "9" and must be a whole number from 0 to 7/],
      ['brokerPermission=4\nlonely', /line 2/],
    ] as const) {
      const refused = await update(properties).catch((error: Error) => ({ code: 1, remark: error.message }))
      assert.equal(refused.code, 1)
      assert.match(refused.remark ?? '', reason)
    }
    assert.deepEqual([config.values.brokerPermission, config.values.rejectAll], [6, false])
  })
})

test('26 tells all options as properties, under a version that each change raises', async () => {
  const { clock, routes, update, told } = broker()
  assert.equal(await told(), 'brokerPermission=6\nrejectAll=false\nlistenPort=10911\nstorePath=/store\n')
  assert.deepEqual((await ask(routes, getBrokerConfig, {})).header, { version: '{"counter":0,"timestamp":0}' })
  clock.advance(5)
  await update('brokerPermission=2')
  assert.match(await told(), /^brokerPermission=2$/m)
  assert.deepEqual((await ask(routes, getBrokerConfig, {})).header, {
    version: `{"counter":1,"timestamp":${clock.now()}}`,
  })
})
