import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AclFile } from '../../src/acl/acl-file.ts'
import { Mac } from '../../src/acl/mac.ts'

const text = `# who may do what
globalWhiteRemoteAddresses:
- 10.10.103.*

accounts:
- accessKey: 0123456789
  secretKey: 12345678
  whiteRemoteAddress:
  admin: false
  defaultTopicPerm: DENY
  defaultGroupPerm: SUB
  topicPerms:
  - topicA=DENY # not this one
  - topicB=PUB|SUB
  groupPerms:
  - groupA=DENY
- accessKey: administrator
  secretKey: a-secret
  admin: true
`

test('keys of digits stay texts, and what is not said is not allowed', () => {
  const { accounts, trusted, version } = new AclFile('/a.yml', text).content()
  const [first, admin] = accounts
  assert.deepEqual([first?.accessKey, first?.isAdmin, first?.topics.byName.get('topicB')], ['0123456789', false, 12])
  assert.deepEqual([first?.topics.others, first?.groups.others, first?.hasNoLists], [1, 8, false])
  assert.deepEqual([admin?.isAdmin, admin?.topics.others, admin?.hasNoLists], [true, 1, true])
  assert.ok(trusted[0]?.('10.10.103.7'))
  assert.deepEqual(version, { counter: 0, timestamp: 0 })
})

test('an empty file, and one of comments, has nobody', () => {
  for (const empty of ['', '\n', '# nothing\n', 'accounts:\n', 'globalWhiteRemoteAddresses:\naccounts: []\n'])
    assert.deepEqual(new AclFile('/a.yml', empty).content().accounts, [])
})

test('a change keeps comments and all else, and is the next version', () => {
  const file = new AclFile('/a.yml', text)
  file.put({ accessKey: '0123456789', topicPerms: ['topicC=SUB'] })
  file.put({ accessKey: 'another-one', secretKey: 'its-secret', admin: true })
  assert.ok(file.delete('administrator'))
  assert.ok(!file.delete('administrator'))
  file.trust(['127.0.0.1', '10.0.0.1-9'])
  const printed = file.print(1700)
  assert.match(printed, /^# who may do what/)
  const { accounts, trusted, version } = new AclFile('/a.yml', printed).content()
  assert.deepEqual(
    accounts.map(({ accessKey, mac, isAdmin }) => [accessKey, mac.of('', undefined), isAdmin]),
    [
      ['0123456789', new Mac('12345678').of('', undefined), false],
      ['another-one', new Mac('its-secret').of('', undefined), true],
    ],
  )
  assert.deepEqual([...(accounts[0]?.topics.byName ?? [])], [['topicC', 8]])
  assert.deepEqual([trusted.length, version.counter, version.timestamp], [2, 1, 1700])
  const again = new AclFile('/a.yml', printed)
  assert.match(again.print(1800), /counter: "?2/)
})

test('a first account can be put into a file that has none', () => {
  const file = new AclFile('/a.yml', '')
  file.put({ accessKey: 'the-first-one', secretKey: 'its-secret', defaultTopicPerm: 'PUB' })
  const { accounts } = new AclFile('/a.yml', file.print(1)).content()
  assert.equal(accounts[0]?.topics.others, 4)
})

const wrong: readonly [text: string, line: number, problem: RegExp][] = [
  ['accounts:\n- accessKey: short\n  secretKey: long-enough\n', 2, /accessKey has 5 characters, it needs 7 at least/],
  ['accounts:\n- accessKey: long-enough\n  secretKey: short\n', 2, /secretKey has 5 characters/],
  ['accounts:\n- accessKey: long-enough\n', 2, /secretKey has 0 characters/],
  ['accounts:\n- just a text\n', 2, /an account is a map of keys/],
  ['accounts: nobody\n', 1, /accounts is no list/],
  ['- a list\n', 1, /no map of keys/],
  ['globalWhiteRemoteAddresses:\n- 10.0.0.1\n- 10.0.0\n', 3, /10\.0\.0 has 3 parts/],
  ['accounts:\n- accessKey: long-enough\n  secretKey: long-enough\n  admin: maybe\n', 2, /admin: maybe is neither/],
  [
    'accounts:\n- accessKey: long-enough\n  secretKey: long-enough\n  defaultTopicPerm: ALL\n',
    2,
    /defaultTopicPerm: ALL/,
  ],
  [
    'accounts:\n- accessKey: long-enough\n  secretKey: long-enough\n  topicPerms: [T]\n',
    2,
    /topicPerms: T is not of the form/,
  ],
  [
    'accounts:\n- accessKey: long-enough\n  secretKey: long-enough\n  topicPerms: [T=ALL]\n',
    2,
    /T: ALL is none of DENY/,
  ],
  ['accounts:\n  - accessKey: "long\n', 3, /no YAML/],
]
for (const [given, line, problem] of wrong) {
  test(`says where and what is wrong: ${problem.source}`, () => {
    assert.throws(
      () => new AclFile('/conf/plain_acl.yml', given).content(),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'ECONFIG')
        assert.match(error.message, problem)
        assert.match(error.message, new RegExp(`^/conf/plain_acl\\.yml:${line}:`))
        assert.doesNotMatch(error.message, /its-secret/)
        return true
      },
    )
  })
}
