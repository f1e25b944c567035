import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { DeadLetter, Resent } from '@skua-mq/admin'
import { Producer, PushConsumer } from '@skua-mq/client'
import { letterChanges, letterText } from '../../src/command/people/letter-text.ts'
import { startStandalone } from '../../src/index.ts'
import { ServerProcess } from '../server-process.ts'
import { asJson, people, until } from './run.ts'

const skua = await startStandalone({ port: 0, store: 'memory' })
const { namesrvAddr } = skua
const producer = new Producer({ namesrvAddr, group: 'makers' })
const folder = mkdtempSync(join(tmpdir(), 'skua-dlq-'))
const bytes = Buffer.from([0xff, 0xfe, 0, 1])
let ids: string[] = []

before(async () => {
  const properties = { number: '1', note: 'old' }
  const bill = await producer.send({ topic: 'Bills', body: 'bill 1', tag: 'due', keys: ['b-1'], properties })
  const binary = await producer.send({ topic: 'Bills', body: bytes, keys: ['b-2'] })
  ids = [bill.msgId, binary.msgId]
  const from = { consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET', maxReconsumeTimes: 0 } as const
  const failing = new PushConsumer({ namesrvAddr, group: 'payers', ...from })
  failing.subscribe('Bills').onMessage(() => 'RECONSUME_LATER')
  await failing.start()
  await until('two are dead', async () => {
    const { messages } = await asJson<{ messages: DeadLetter[] }>('dlq list payers', namesrvAddr)
    return messages.length === 2
  })
  await failing.close()
})
after(async () => {
  rmSync(folder, { recursive: true })
  await producer.close()
  await skua.stop()
})

interface Found {
  readonly body: string
  readonly tags: string | null
  readonly properties: Record<string, string>
}

const found = (key: string) => asJson<Found[]>(`find Bills --key ${key}`, namesrvAddr)

test('resend --body --property: with another body, other properties, and without one that is taken away', async () => {
  const file = join(folder, 'body.txt')
  writeFileSync(file, 'bill one')
  const flags = `--body ${file} --property number=2 --property note= --property TAGS=paid --property KEYS=b-new`
  const dry = await asJson<Resent[]>(`dlq resend payers ${ids[0]} ${flags} --dry-run`, namesrvAddr)
  assert.equal(dry[0]!.status, 'PLANNED')
  const sent = await people(`dlq resend payers ${ids[0]} ${flags} --yes`, namesrvAddr)
  assert.equal(sent.exitCode, 0, sent.errors)
  const [copy, ...more] = await found('b-new')
  assert.equal(more.length, 0)
  assert.deepEqual([copy!.body, copy!.tags, copy!.properties['number']], ['bill one', 'paid', '2'])
  assert.ok(!('note' in copy!.properties))
})

test('what cannot be is refused: changes of many, of properties of RocketMQ, with a file that is not there', async () => {
  for (const [line, reason] of [
    ['--all --property a=b', /change one message: name one dead letter by its id/],
    [`${ids.join(' ')} --property a=b`, /change one message/],
    [`${ids[0]} --property UNIQ_KEY=b`, /the property UNIQ_KEY is RocketMQ's own/],
    [`${ids[0]} --body ${folder}/none`, /there is no file/],
    [`${ids[0]} --property novalue`, /k=v is wanted/],
  ] as const) {
    const { exitCode, errors } = await people(`dlq resend payers ${line} --yes`, namesrvAddr)
    assert.equal(exitCode, 1, line)
    assert.match(errors, reason)
  }
})

/** The built command with an editor that is a command of the shell. */
async function edit(editor: string, ...more: string[]) {
  const args = ['dlq', 'edit', 'payers', ...more, '-n', namesrvAddr]
  const run = ServerProcess.skua(args, { env: { EDITOR: editor, VISUAL: '', TMPDIR: folder } })
  return { exitCode: await run.exit(), output: run.output, errors: run.errors }
}

test('edit: what the editor saves is sent, and nothing is left of its file', async () => {
  const changed = await edit(
    `sed -i -e s/^number=1/number=7/ -e 's/^bill 1$/bill seven/' -e /^note/d`,
    ids[0]!,
    '--yes',
  )
  assert.equal(changed.exitCode, 0, changed.errors)
  assert.match(changed.output, new RegExp(`^SEND_OK ${ids[0]} → Bills \\w+\n$`))
  const copy = (await found('b-1')).at(-1)!
  assert.deepEqual(
    [copy.body, copy.tags, copy.properties['number'], copy.properties['note']],
    ['bill seven', 'due', '7', undefined],
  )
  assert.deepEqual(
    readdirSync(folder).filter(name => name.startsWith('skua-edit')),
    [],
  )
})

test('edit: without a change, with an editor that fails, or with nobody to say yes nothing is sent', async () => {
  const before = (await found('b-1')).length
  for (const [editor, more, reason] of [
    ['true', ['--yes'], /nothing was changed, nothing resent/],
    ['false', ['--yes'], /the editor "false" ended with 1: set VISUAL or EDITOR/],
    ['no-such-editor', ['--yes'], /the editor "no-such-editor" ended with 127/],
    ['sed -i s/^number=1/number/', ['--yes'], /"number" is no property: NAME=VALUE is wanted/],
    ['sed -i s/^number=1/number=9/', [], /nobody is at a terminal to say yes/],
  ] as const) {
    const { exitCode, errors } = await edit(editor, ids[0]!, ...more)
    assert.equal(exitCode, 1, editor)
    assert.match(errors, reason)
  }
  assert.equal((await found('b-1')).length, before)
})

test('edit: bytes that are no text stand as base64, and stay what they are', async () => {
  const { exitCode, errors } = await edit('sed -i s/^KEYS=b-2/KEYS=b-3/', ids[1]!, '--yes')
  assert.equal(exitCode, 0, errors)
  assert.equal((await found('b-3'))[0]!.body, `base64:${bytes.toString('base64')}`)
  const other = Buffer.from([0, 0x80]).toString('base64')
  assert.equal(
    (await edit(`sed -i -e s/^KEYS=b-2/KEYS=b-4/ -e 's#^base64:.*#base64:${other}#'`, ids[1]!, '--yes')).exitCode,
    0,
  )
  assert.equal((await found('b-4'))[0]!.body, `base64:${other}`)
})

test('the text of a letter: values of several lines come back, and the line end of an editor is none of the body', () => {
  const letter = {
    body: Buffer.from('a\n\nb'),
    tags: undefined,
    keys: ['k1', 'k2'],
    properties: { p: 'x\ny', q: '"z"' },
  }
  const text = letterText(letter as never)
  assert.equal(letterChanges(letter as never, text), undefined)
  assert.equal(letterChanges(letter as never, `${text}\n`), undefined)
  assert.deepEqual(letterChanges(letter as never, `${text}!`), { properties: {}, body: Buffer.from('a\n\nb!') })
  assert.deepEqual(letterChanges(letter as never, text.replace('KEYS=k1 k2', 'TAGS=t')), {
    properties: { KEYS: '', TAGS: 't' },
  })
})
