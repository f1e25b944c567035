import assert from 'node:assert/strict'
import { test } from 'node:test'
import { signer } from '../../src/instance/signer.ts'

test('the signature is that of the vectors page', () => {
  const extFields: Record<string, string> = { a: 'PG', b: 'TopicA', e: '3', k: 'false' }
  signer({ accessKey: 'rocketmq2', secretKey: '12345678' })({ extFields, body: Buffer.from('hello') })
  assert.equal(extFields.Signature, 'y0bRQQJbcR41yJKIFA35/1cATk4=')
  assert.equal(extFields.AccessKey, 'rocketmq2')
})

test('signing again, as a retry does, gives the same', () => {
  const extFields: Record<string, string> = { z: '1' }
  const sign = signer({ accessKey: 'a', secretKey: 'b', securityToken: 't' })
  sign({ extFields })
  const first = extFields.Signature
  sign({ extFields })
  assert.equal(extFields.Signature, first)
})
