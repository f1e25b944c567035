import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { repository, ServerProcess } from './server-process.ts'

const home = mkdtempSync(join(tmpdir(), 'skua-test-broker-'))
after(() => rmSync(home, { recursive: true, force: true }))
const main = join(repository, 'packages', 'skua', 'dist', 'bundle', 'main.js')

interface Told {
  readonly namesrvAddr: string
  readonly control: string
  readonly pid: number
}

/** Resolves with the line that it prints. */
const told = (output: NodeJS.ReadableStream): Promise<Told> =>
  new Promise(resolve => {
    let text = ''
    output.on('data', chunk => {
      text += String(chunk)
      if (text.includes('\n')) resolve(JSON.parse(text.slice(0, text.indexOf('\n'))))
    })
  })

/** Resolves when nobody listens there any more. */
async function gone({ namesrvAddr }: Told): Promise<void> {
  const [host, port] = namesrvAddr.split(':') as [string, string]
  for (;;) {
    const isThere = await new Promise<boolean>(resolve => {
      const socket = createConnection({ host, port: Number(port) }, () => {
        socket.destroy()
        resolve(true)
      })
      socket.on('error', () => resolve(false))
    })
    if (!isThere) return
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

test('one line of JSON says where it is; it is told over HTTP, and ends when its standard input does', async () => {
  const topics = join(home, 'topics.yaml')
  const seed = join(home, 'seed.jsonl')
  writeFileSync(topics, '- Orders\n- name: Payments\n  queues: 2\n  type: FIFO\n')
  writeFileSync(seed, '{"topic":"Payments","text":"paid"}\n')
  const flags = [
    '--topics',
    topics,
    '--seed',
    seed,
    '--start-time',
    '2027-01-01T00:00:00Z',
    '--config',
    'fileReservedTime=1',
  ]
  const child = spawn(process.execPath, [main, 'test-broker', ...flags], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = new Promise(resolve => child.once('exit', code => resolve(code)))
  const line = await told(child.stdout)
  assert.equal(line.pid, child.pid)
  const ask = async (path: string, init = {}) =>
    (await fetch(line.control + path, init)).json() as Promise<Record<string, string>[] & Record<string, string>>
  const [message] = await ask('/topics/Payments/messages')
  assert.equal(message?.text, 'paid')
  const { now } = await ask('/clock/advance', { method: 'POST', body: '{"by":"3d"}' })
  assert.equal(now, '2027-01-04T00:00:00.000Z')
  child.stdin.end()
  assert.equal(await exited, 0)
  await gone(line)
})

test('it ends when its parent is gone, also one that has left it no pipe', async () => {
  // The parent is a process that starts it as many do, tells its line, and is killed.
  const script = `
    const child = require('node:child_process').spawn(process.execPath, [${JSON.stringify(main)}, 'test-broker'], { stdio: ['ignore', 'pipe', 'ignore'] })
    child.stdout.pipe(process.stdout)
  `
  const parent = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const line = await told(parent.stdout)
  parent.kill('SIGKILL')
  await gone(line)
})

test('what is wrong is one line, and nothing is left running', async () => {
  const topics = join(home, 'wrong.yaml')
  writeFileSync(topics, '- name: Orders\n  type: FIFOO\n')
  for (const [flags, why] of [
    [['--topics', topics], /wrong\.yaml, topic 1: type of Orders is "FIFOO": one of NORMAL, FIFO/],
    [['--topics', join(home, 'none.yaml')], /none\.yaml/],
    [['--clock', 'slow'], /Allowed choices are virtual, real/],
    [['--start-time', 'soon'], /startTime soon is no time/],
  ] as const) {
    const failed = ServerProcess.skua(['test-broker', ...flags])
    assert.equal(await failed.exit(), 1)
    assert.match(failed.errors, why)
  }
})
