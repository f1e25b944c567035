import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Registry } from '@skua-mq/broker'
import { nodeRuntime } from '@skua-mq/runtime'
import { readBrokerConfig } from '../../src/command/broker-config.ts'
import { registryOf } from '../../src/registry.ts'
import { withoutEtcd } from './etcd.ts'
import { Authority, SecuredEtcd, withoutOpenssl } from './etcd-secured.ts'

const { disk } = nodeRuntime()

describe('etcd with https, certificates of its clients, and users', {
  skip: withoutEtcd() ?? withoutOpenssl() ?? false,
}, () => {
  let authority: Authority
  let etcd: SecuredEtcd
  let right: Record<string, string>
  before(async () => {
    authority = new Authority()
    const { cert, key } = authority.issue('broker', '/O=broker')
    const [password, wrongPassword] = [file('password', 'secret\n'), file('wrong', 'guessed\n')]
    const [ca, certPem, keyPem] = [authority.ca, cert, key].map(each => readFileSync(each))
    etcd = await SecuredEtcd.start({ authority, tls: { ca, cert: certPem, key: keyPem } })
    await etcd.secure([{ name: 'skua', password: 'secret', prefix: '/skua/' }])
    right = {
      ...{ failoverEndpoints: etcd.endpoint, failoverUser: 'skua', failoverPasswordFile: password },
      ...{ failoverCaFile: authority.ca, failoverCertFile: cert, failoverKeyFile: key, wrongPassword },
    }
  })
  after(async () => {
    await etcd?.member.stop()
    authority?.remove()
  })

  function file(name: string, content: string): string {
    const path = join(authority.directory, name)
    writeFileSync(path, content)
    return path
  }

  /** As a broker makes it of its configuration; undefined leaves a key out. */
  function registry(changed: Readonly<Record<string, string | undefined>> = {}): Registry {
    const keys = Object.entries({ ...right, wrongPassword: undefined, ...changed })
    const text = keys.flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}\n`])).join('')
    const { config } = readBrokerConfig({ file: file('broker.conf', text), env: {}, further: [] })
    return registryOf(config, disk)!
  }

  async function works(of: Registry): Promise<void> {
    const session = await of.open(2000)
    assert.ok(await session.write({ when: {}, put: { a: '1' }, putForSession: { b: '2' } }))
    assert.ok(await session.renew())
    assert.deepEqual([...(await of.read())].map(([key, { value }]) => [key, value]).sort(), [
      ['a', '1'],
      ['b', '2'],
    ])
    await session.close()
  }

  test('a user who may do all below the prefix is all that it takes', () => works(registry()))

  test('users that have changed, and a member of etcd that was started again, cost a new token and no more', async () => {
    const lasting = registry()
    await works(lasting)
    await etcd.addUser('further')
    await works(lasting)
    await etcd.member.kill()
    etcd.member.start()
    await etcd.member.answering()
    await works(lasting)
  })

  /** What is changed, and what is said of it. */
  const refused: readonly (readonly [what: string, changed: () => Record<string, string | undefined>, said: RegExp])[] =
    [
      ['another authority', () => ({ failoverCaFile: undefined }), /not signed by an authority that is known here/],
      [
        'no certificate',
        () => ({ failoverCertFile: undefined, failoverKeyFile: undefined }),
        /refuses the certificate of this broker, or wants one/,
      ],
      [
        'a certificate with a name',
        () => {
          const { cert, key } = authority.issue('named')
          return { failoverCertFile: cert, failoverKeyFile: key }
        },
        /status 400: CommonName of client.* \(where it has users, failoverCertFile must be a certificate whose subject has no CN\)/,
      ],
      [
        'a wrong password',
        () => ({ failoverPasswordFile: right['wrongPassword'] }),
        /authentication failed, invalid user ID or password/,
      ],
      [
        'no user',
        () => ({ failoverUser: undefined, failoverPasswordFile: undefined }),
        /permission denied \(failoverUser must be allowed to read and to write everything below failoverPrefix\)/,
      ],
      ['a prefix of somebody else', () => ({ failoverPrefix: '/other' }), /permission denied/],
      [
        'http',
        () => ({
          failoverEndpoints: etcd.endpoint.replace('https', 'http'),
          failoverCaFile: undefined,
          failoverCertFile: undefined,
          failoverKeyFile: undefined,
        }),
        /it closed the connection without an answer \(ECONNRESET\): is it https\?/,
      ],
    ]
  for (const [what, changed, said] of refused)
    test(`${what}: refused, and said why`, async () => {
      await assert.rejects(registry(changed()).read(), said)
    })

  /** Files that are no such files end the start. */
  const unusable: readonly (readonly [what: string, changed: () => Record<string, string>, said: RegExp])[] = [
    [
      'an authority that is not there',
      () => ({ failoverCaFile: '/no/such/file' }),
      /failoverCaFile=\/no\/such\/file cannot be read: /,
    ],
    [
      'an authority that is no PEM',
      () => ({ failoverCaFile: file('junk', 'junk') }),
      /failoverCaFile=\S+ cannot be used: /,
    ],
    ['a key that is no PEM', () => ({ failoverKeyFile: file('junk', 'junk') }), /failoverKeyFile=\S+ cannot be used: /],
    [
      'a key of another certificate',
      () => ({ failoverKeyFile: authority.issue('other').key }),
      /failoverKeyFile=\S+ cannot be used: it does not belong to the certificate/,
    ],
    [
      'an empty password',
      () => ({ failoverPasswordFile: file('empty', '\n') }),
      /failoverPasswordFile=\S+ has no password in its first line/,
    ],
  ]
  for (const [what, changed, said] of unusable)
    test(`${what}: the broker does not start, and says why`, () => {
      assert.throws(
        () => registry(changed()),
        (error: Error & { code?: string }) => error.code === 'ECONFIG' && said.test(error.message),
      )
    })
})

test('etcd with users and without https: who names no user is told so', { skip: withoutEtcd() ?? false }, async t => {
  const etcd = await SecuredEtcd.start()
  t.after(() => etcd.member.stop())
  await etcd.secure([])
  const { config } = readBrokerConfig({
    ...{ file: undefined, env: {} },
    further: [{ key: 'failoverEndpoints', value: etcd.endpoint, source: 'test' }],
  })
  const said = /user name is empty \(it has users: failoverUser, failoverPasswordFile\)/
  await assert.rejects(registryOf(config, disk)!.read(), said)
})
