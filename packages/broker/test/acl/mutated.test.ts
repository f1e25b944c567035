import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { type Command, HeaderForm } from '@skua-mq/protocol'
import { SimRandom } from '@skua-mq/runtime'
import { AclFile } from '../../src/acl/acl-file.ts'
import { AclRules } from '../../src/acl/acl-rules.ts'

/** The long run gives it 100,000. */
const count = Number(process.env['SKUA_ACL_MUTANTS'] ?? 2000)
const seed = Number(process.env['SKUA_SEED'] ?? 1)

const text =
  'accounts:\n- accessKey: application\n  secretKey: secret-of-app\n  defaultTopicPerm: PUB|SUB\n  defaultGroupPerm: SUB\n'

function signed(fields: Readonly<Record<string, string>>, body: Buffer): Command {
  const extFields: Record<string, string> = { ...fields, AccessKey: 'application' }
  const values = Object.keys(extFields)
    .sort()
    .map(key => extFields[key])
    .join('')
  extFields['Signature'] = createHmac('sha1', 'secret-of-app').update(values).update(body).digest('base64')
  return { code: 310, language: 0, version: 409, opaque: 1, flag: 0, extFields, body, form: HeaderForm.json }
}

test(`of ${count} signed requests with one character, or one bit of the body, changed none is let in; seed ${seed}`, () => {
  const rules = new AclRules([new AclFile('/a.yml', text).content()])
  const random = new SimRandom(seed)
  for (let i = 0; i < count; i++) {
    const body = Buffer.from(Array.from({ length: 1 + random.int(64) }, () => random.int(256)))
    const command = signed({ a: 'pg', b: `T${i % 7}`, e: String(i), i: 'k\u0001v\u0002', n: 'ü' }, body)
    assert.equal(rules.refusalOf(command, '10.0.0.1'), undefined)
    const extFields: Record<string, string> = { ...command.extFields }
    const names = Object.keys(extFields)
    const what = random.int(names.length + 1)
    const name = names[what]
    if (name === undefined) {
      const at = random.int(body.length)
      body[at] = (body[at] as number) ^ (1 << random.int(8))
    } else extFields[name] = changed(extFields[name] as string, random)
    assert.notEqual(rules.refusalOf({ ...command, extFields }, '10.0.0.1'), undefined, `${name} at ${i}`)
  }
})

/** One character is another, is gone, or has come. */
function changed(value: string, random: SimRandom): string {
  const at = random.int(value.length)
  const other = value[at] === 'x' ? 'y' : 'x'
  const ways = [other, '', `${value[at]}${other}`]
  return value.slice(0, at) + ways[random.int(ways.length)] + value.slice(at + 1)
}
