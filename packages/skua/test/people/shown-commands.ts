import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { connect } from '@skua-mq/admin'
import { startDashboard } from '@skua-mq/dashboard'
import { where } from '../../../dashboard/page/command.ts'
import { mqadmin } from '../mqadmin/run.ts'
import { people } from './run.ts'

/** The dashboard of a cluster, asked as its page asks it. */
export async function openPage(namesrvAddr: string) {
  where.namesrvAddr = namesrvAddr
  const session = connect({ namesrvAddr })
  const page = new Map([['index.html', Buffer.from('<!doctype html>')]])
  const dashboard = await startDashboard({ namesrvAddr, port: 0, sampleMs: 0, page })
  const act = async (name: string, params: object): Promise<void> => {
    const headers = { 'content-type': 'application/json', 'x-skua-dashboard': '1' }
    const response = await fetch(`${dashboard.url}api/${name}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(params),
    })
    const text = await response.text()
    assert.equal(response.status, 200, text)
    assert.doesNotMatch(text, /^event: problem/m, text)
  }
  const close = async () => {
    await dashboard.stop()
    await session.close()
  }
  return { session, dashboard, act, close }
}

/** The words as a shell takes them apart. */
export const wordsOf = (line: string): string[] =>
  execFileSync('sh', ['-c', `printf '%s\\0' ${line}`])
    .toString()
    .split('\0')
    .slice(0, -1)

/** Runs what the page shows; to whom it asks yes is said. */
export async function run(line: string): Promise<string> {
  const [name, ...words] = wordsOf(line)
  assert.equal(name, 'skua')
  const done = words[0] === 'mqadmin' ? await mqadmin(words.slice(1)) : await people(words, 'nobody.invalid:1', 'y')
  assert.equal(done.exitCode, 0, `${line}: ${done.output}${done.errors}`)
  return done.output
}
