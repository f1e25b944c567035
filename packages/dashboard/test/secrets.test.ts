import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryDisk, SimClock } from '@skua-mq/runtime'
import { ChangeLog } from '../src/change-log.ts'
import { shownValue, shownValues } from '../src/secrets.ts'

/** Names and forms of Apache 5.3.3 and of ours. */
const secrets: Readonly<Record<string, string>> = {
  initAuthenticationUser: '{"username":"rocketmq","password":"hunter22"}',
  innerClientAuthenticationCredentials: '{"accessKey":"inner","secretKey":"hunter22"}',
  accessKey: 'hunter22',
  brokerSecretKey: 'hunter22',
  tlsServerKeyPassword: 'hunter22',
  'tls.server.keyPassword': 'hunter22',
  keyPassphrase: 'hunter22',
  somethingOfAPlugin: '{ "user": "a", "password" : "hunter22" }',
}

test('accounts that a broker keeps as JSON, and secrets of every name, are dots', () => {
  assert.doesNotMatch(JSON.stringify(shownValues(secrets)), /hunter22/)
  for (const [name, value] of [
    ['brokerName', 'broker-a'],
    ['aclEnable', 'true'],
    ['brokerSecretKey', ''],
    ['messageDelayLevel', '1s 5s'],
  ] as const)
    assert.equal(shownValue(name, value), value, name)
})

test('a secret that is set is not in the list of changes, whatever form it has', () => {
  const log = new ChangeLog({ clock: new SimClock(), disk: new MemoryDisk() })
  const by = { user: { name: 'ada', role: 'admin' } as const, from: '127.0.0.1', cluster: 'c' }
  const params = { address: 'b:10911', settings: secrets, list: [{ password: 'hunter22' }], body: 'hunter22' }
  log.add(by, { action: 'broker/set', params, problem: null })
  const [{ what } = { what: '' }] = log.all()
  assert.doesNotMatch(what, /hunter22/)
  assert.match(what, /"address":"b:10911".*innerClientAuthenticationCredentials/)
})
