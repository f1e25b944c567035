import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { simRuntime } from '@skua-mq/runtime'
import { Users } from '../../src/clients/users.ts'
import type { CallContext } from '../../src/grpc/method.ts'
import { Refused } from '../../src/refused.ts'
import type { Routes } from '../../src/remote/routes.ts'
import { Code } from '../../src/v2/code.ts'

const secretKey = '12345678'

/** Every account but `nobody` has the same secret. */
function users() {
  const runtime = simRuntime({ seed: 1, host: 'gateway' })
  const routes = {} as Routes
  return new Users({
    remoting: runtime,
    routes,
    secretOf: accessKey => (accessKey === 'nobody' ? undefined : secretKey),
  })
}

const signatureOf = (dateTime: string, secret = secretKey): string =>
  createHmac('sha1', secret).update(dateTime).digest('hex')

function call(accessKey: string, { dateTime = '20260101T000000Z', signature = signatureOf(dateTime) } = {}) {
  const headers: Readonly<Record<string, string>> = {
    authorization: `MQv2-HMAC-SHA1 Credential=${accessKey}/cn, SignedHeaders=x-mq-date-time, Signature=${signature}`,
    'x-mq-date-time': dateTime,
  }
  return { header: (name: string) => headers[name] } as CallContext
}

const isUnauthorized = (error: unknown) => error instanceof Refused && error.code === Code.unauthorized

test('a call is of the account whose secret key has signed its time', () => {
  assert.equal(users().of(call('account')).account, 'account')
})

test('a call with any other signature, or with a time that is none, is of nobody', () => {
  const right = signatureOf('20260101T000000Z')
  const changed = [...right].map((digit, at) => right.slice(0, at) + (digit === '0' ? '1' : '0') + right.slice(at + 1))
  for (const signature of [...changed, '', right.slice(2), `${right}00`, signatureOf('20260101T000000Z', '12345679')])
    assert.throws(() => users().of(call('account', { signature })), isUnauthorized, signature)
  // A signature over nothing would be one for ever, and one that is seen is that of its own time.
  assert.throws(() => users().of(call('account', { dateTime: '' })), isUnauthorized)
  assert.throws(() => users().of(call('account', { dateTime: '20260101T000001Z', signature: right })), isUnauthorized)
})

test('an account that is not there is refused as a wrong signature is, also with what stands for its secret', () => {
  for (const signature of [signatureOf('20260101T000000Z'), signatureOf('20260101T000000Z', 'none')])
    assert.throws(() => users().of(call('nobody', { signature })), isUnauthorized)
})

test('a thousand accounts keep a way of their own; one more takes that of the one that was not heard of for longest', () => {
  const table = users()
  const first = table.of(call('a0'))
  const second = table.of(call('a1'))
  for (let n = 2; n < 1000; n++) table.of(call(`a${n}`))
  assert.equal(table.of(call('a0')), first, 'all of them are known')
  table.of(call('one more'))
  assert.equal(table.of(call('a0')), first)
  assert.notEqual(table.of(call('a1')), second)
})
