import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configOf, MemoryDisk, SimClock } from '@skua-mq/runtime'
import { ignoredInTestMode, type TlsConfig, tlsClientOf, tlsOptions, tlsServerOf } from '../src/index.ts'

const disk = new MemoryDisk({ clock: new SimClock() })
disk.makeDirectory('/tls')
for (const name of ['key', 'cert', 'ca']) disk.writeFile(`/tls/${name}`, Buffer.from(`the ${name}`))
const read = (changes: Partial<TlsConfig>) => tlsServerOf(configOf(tlsOptions, changes), disk)
const files = { 'tls.test.mode.enable': false, 'tls.server.keyPath': '/tls/key', 'tls.server.certPath': '/tls/cert' }
const text = (pem: string | Uint8Array | undefined) => Buffer.from(pem ?? '').toString()

test('without any key a server takes both kinds, with a certificate of its own', () => {
  assert.deepEqual(read({}), { mode: 'permissive' })
})

test('the files that are named are read once test mode is off', () => {
  const { identity, clientAuth, ca } = read({ ...files, 'tls.server.need.client.auth': 'require' })
  assert.deepEqual(
    [text(identity?.key), text(identity?.cert), clientAuth, ca],
    ['the key', 'the cert', 'require', undefined],
  )
  const trusting = { ...files, 'tls.server.authClient': true, 'tls.server.trustCertPath': '/tls/ca' }
  assert.equal(text(read(trusting).ca), 'the ca')
})

test('files that test mode leaves unread are named', () => {
  assert.deepEqual(ignoredInTestMode(configOf(tlsOptions, { ...files, 'tls.test.mode.enable': true })), [
    'tls.server.keyPath',
    'tls.server.certPath',
  ])
  assert.deepEqual(ignoredInTestMode(configOf(tlsOptions, files)), [])
})

test('what is missing is said with its key', () => {
  assert.throws(() => read({ 'tls.test.mode.enable': false }), /wants tls\.server\.keyPath and tls\.server\.certPath/)
  assert.throws(() => read({ ...files, 'tls.server.certPath': '' }), /belong together/)
  assert.throws(
    () => read({ ...files, 'tls.server.certPath': '/tls/none' }),
    /tls\.server\.certPath=\/tls\/none cannot be read/,
  )
  assert.throws(() => read({ ...files, 'tls.server.authClient': true }), /tls\.server\.trustCertPath/)
})

test('a broker trusts any name server unless it is told to check', () => {
  const client = (changes: Partial<TlsConfig>) => tlsClientOf(configOf(tlsOptions, changes), disk)
  assert.equal(client({}), undefined)
  assert.deepEqual(client({ 'tls.enable': true }), { trust: 'any' })
  const checked = client({
    ...{ 'tls.enable': true, 'tls.test.mode.enable': false },
    ...{ 'tls.client.authServer': true, 'tls.client.trustCertPath': '/tls/ca' },
  })
  assert.deepEqual([checked?.trust, text(checked?.ca)], ['chain', 'the ca'])
})
