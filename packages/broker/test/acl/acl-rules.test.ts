import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { batchAckMessage, type Command, HeaderForm, lockBatchMq, traceTopic } from '@skua-mq/protocol'
import { AclFile } from '../../src/acl/acl-file.ts'
import { AclRules } from '../../src/acl/acl-rules.ts'
import { AclPerm, permits } from '../../src/acl/permission.ts'

const secret = 'secret-of-app'
const host = '10.0.0.7'
const fileOf = (lines: string, secretKey = secret) =>
  new AclFile('/a.yml', `accounts:\n- accessKey: application\n  secretKey: ${secretKey}\n${lines}`).content()
const rulesOf = (lines: string) => new AclRules([fileOf(lines)])

type Fields = Readonly<Record<string, string>>

function signed(
  code: number,
  fields: Fields,
  { body, key = secret }: { body?: Uint8Array; key?: string } = {},
): Command {
  const extFields: Record<string, string> = { ...fields, AccessKey: 'application' }
  const values = Object.keys(extFields)
    .sort()
    .map(name => extFields[name])
    .join('')
  const hmac = createHmac('sha1', key).update(values)
  extFields.Signature = hmac.update(body ?? Buffer.alloc(0)).digest('base64')
  return { code, language: 0, version: 409, opaque: 1, flag: 0, extFields, body, form: HeaderForm.json } as Command
}

const isLetIn = (rules: AclRules, command: Command) => rules.refusalOf(command, host) === undefined

test('an admin with lists has what they say, one without has everything', () => {
  const lists = 'admin: true\n  topicPerms:\n  - Orders=PUB\n'
  assert.ok(isLetIn(rulesOf(`  ${lists}`), signed(10, { topic: 'Orders' })))
  assert.ok(!isLetIn(rulesOf(`  ${lists}`), signed(10, { topic: 'Logs' })))
  assert.ok(isLetIn(rulesOf('  admin: true\n'), signed(10, { topic: 'Logs' })))
})

test('everybody who can sign writes traces, and nobody reads them without leave', () => {
  const rules = rulesOf('')
  assert.ok(isLetIn(rules, signed(10, { topic: traceTopic })))
  assert.ok(!isLetIn(rules, signed(11, { topic: traceTopic, consumerGroup: 'g' })))
  assert.ok(!isLetIn(rules, signed(12, { topic: traceTopic })))
})

test('an access key belongs to the first file that has it', () => {
  const rules = new AclRules([fileOf('  admin: true\n'), fileOf('', 'secret-of-another')])
  assert.ok(isLetIn(rules, signed(10, { topic: 'T' })))
  assert.ok(!isLetIn(rules, signed(10, { topic: 'T' }, { key: 'secret-of-another' })))
  assert.equal(rules.accountCount, 1)
})

test('a signature is right as a whole: not longer, not shorter, and over the body', () => {
  const rules = rulesOf('  admin: true\n')
  const right = signed(10, { topic: 'T' }, { body: Buffer.from('hello') })
  assert.ok(isLetIn(rules, right))
  const { Signature = '' } = right.extFields
  for (const given of [
    `${Signature}A`,
    `${Signature}\0`,
    Signature.slice(0, -1),
    Signature.slice(1),
    '',
    'A'.repeat(1000),
  ])
    assert.ok(!isLetIn(rules, { ...right, extFields: { ...right.extFields, Signature: given } }), given)
  const withoutBody = signed(10, { topic: 'T' }).extFields
  assert.ok(!isLetIn(rules, { ...right, extFields: withoutBody }), 'signed as if there were none')
  assert.ok(!isLetIn(rules, { ...right, body: undefined }))
})

/** Requests with several needs: the topics and groups that each of them takes. */
const several: readonly { name: string; command: Command; topics: string[]; groups: string[] }[] = [
  {
    name: 'a pull',
    command: signed(11, { topic: 'A', consumerGroup: 'g' }),
    ...{ topics: ['A=SUB'], groups: ['g=SUB'] },
  },
  {
    name: 'a lock',
    command: signed(
      41,
      {},
      {
        body: lockBatchMq.body!.encode({
          ...{ consumerGroup: 'g', clientId: 'c' },
          mqSet: ['A', 'B'].map(topic => ({ topic, brokerName: 'b', queueId: 0 })),
        }),
      },
    ),
    ...{ topics: ['A=SUB', 'B=SUB'], groups: ['g=SUB'] },
  },
  {
    name: 'a batch of acknowledgements',
    command: signed(
      200151,
      {},
      {
        body: batchAckMessage.body!.encode({
          brokerName: 'b',
          acks: [
            ['A', 'g'],
            ['B', 'h'],
          ].map(([t = '', c = '']) => ({ c, t, r: '0', so: 0, q: 0, rq: 1, pt: 1, it: 1, b: '' })),
        }),
      },
    ),
    ...{ topics: ['A=SUB', 'B=SUB'], groups: ['g=SUB', 'h=SUB'] },
  },
]

for (const { name, command, topics, groups } of several)
  test(`${name} takes each of its permissions`, () => {
    const lists = (own: readonly string[], of: readonly string[]) =>
      `  topicPerms:\n${own.map(each => `  - ${each}\n`).join('')}  groupPerms:\n${of.map(each => `  - ${each}\n`).join('')}`
    const may = (own: readonly string[], of: readonly string[]) => isLetIn(rulesOf(lists(own, of)), command)
    assert.ok(may(topics, groups))
    for (const lacking of topics) {
      const others = topics.filter(each => each !== lacking)
      assert.ok(!may([...others, lacking.replace('SUB', 'PUB')], groups), lacking)
      assert.ok(!may([...others, lacking.replace('SUB', 'DENY')], groups), lacking)
    }
    for (const lacking of groups)
      assert.ok(!may(topics, [...groups.filter(each => each !== lacking), 'other=SUB']), lacking)
  })

test('DENY denies whatever stands beside it', () => {
  assert.ok(permits(AclPerm.pub | AclPerm.sub, AclPerm.pub))
  assert.ok(!permits(AclPerm.deny | AclPerm.pub, AclPerm.pub))
  assert.ok(!permits(AclPerm.sub, AclPerm.pub))
})
