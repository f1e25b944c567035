import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { cloudEventMessage } from '@skua-mq/client'
import { events, modes } from '../../../packages/client/test/cloud-events/events.ts'
import { cached, command, skipWithout } from '../src/toolchain.ts'

const here = dirname(fileURLToPath(import.meta.url))
const home = join(here, '..', 'java-cloudevents')
const recorded = join(here, '..', '..', '..', 'packages', 'client', 'test', 'cloud-events', 'java-4.1.0')
/** A clone of github.com/cloudevents/sdk-java: its module `rocketmq` is in no Maven repository, as of 4.1.0. */
const source = process.env['SKUA_CLOUDEVENTS_SOURCE']
const skip =
  source === undefined ? 'SKUA_CLOUDEVENTS_SOURCE names no clone of cloudevents/sdk-java' : skipWithout('java')

/** SKUA_RECORD=1 writes down what Java says, for the short tests. */
function hold(name: string, lines: readonly unknown[]): void {
  const path = `${recorded}-${name}.jsonl`
  const text = lines.map(line => `${JSON.stringify(line)}\n`).join('')
  if (process.env['SKUA_RECORD'] === '1') writeFileSync(path, text)
  assert.deepEqual(linesOf(text), linesOf(readFileSync(path, 'utf8')))
}

const linesOf = (text: string): unknown[] =>
  text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as unknown)

describe('the CloudEvents binding of Java', { skip, timeout: 300_000 }, () => {
  const classes = mkdtempSync(join(tmpdir(), 'skua-cloudevents-'))
  let lib: string
  before(async () => {
    lib = await cached('cloudevents-4.0.1/lib', async dir => {
      const wanted = ['dependency:copy-dependencies', `-DoutputDirectory=${dir}`, '-DincludeScope=runtime']
      await command('mvn', ['-q', '-B', '-f', join(home, 'pom.xml'), ...wanted])
    })
    const binding = join(source!, 'rocketmq/src/main/java/io/cloudevents/rocketmq')
    const files = readdirSync(binding).map(name => join(binding, name))
    mkdirSync(classes, { recursive: true })
    const given = ['-nowarn', '-encoding', 'UTF-8', '-d', classes, '-cp', `${lib}/*`]
    await command('javac', [...given, ...files, join(home, 'CloudEvents.java')])
  })
  after(() => rmSync(classes, { recursive: true, force: true }))
  const java = (what: 'write' | 'read', input = ''): unknown[] => {
    const args = ['-Dfile.encoding=UTF-8', '-Dstdout.encoding=UTF-8', '-cp', `${classes}:${lib}/*`, 'CloudEvents', what]
    return linesOf(execFileSync('java', args, { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'] }))
  }

  test('writes what the short tests read', () => hold('writes', java('write')))

  test('reads what ours writes, as the short tests have it', () => {
    const written = events.flatMap(event =>
      modes.map(mode => {
        const { body, properties } = cloudEventMessage(event, { topic: 'T', mode })
        return { id: event.id, mode, properties, body: Buffer.from(body).toString('base64') }
      }),
    )
    const read = java('read', written.map(line => `${JSON.stringify(line)}\n`).join(''))
    hold(
      'reads',
      written.map((line, at) => ({ ...line, read: read[at] })),
    )
  })
})
