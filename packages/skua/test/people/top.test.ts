import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { after, before, test } from 'node:test'
import { AdminSession } from '@skua-mq/admin'
import { Producer, PushConsumer } from '@skua-mq/client'
import { carryOutLive } from '../../src/command/people/live.ts'
import { type Tick, top } from '../../src/command/people/top/top.ts'
import { startStandalone } from '../../src/index.ts'
import { bundle, ServerProcess } from '../server-process.ts'
import { people, until } from './run.ts'

const skua = await startStandalone({ port: 0, store: 'memory' })
const { namesrvAddr } = skua
const producer = new Producer({ namesrvAddr, group: 'makers' })
const options = { consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET', persistConsumerOffsetInterval: 100 } as const
const consumer = new PushConsumer({ namesrvAddr, group: 'eaters', ...options })
let sending = true
let sent: Promise<void> | undefined

before(async () => {
  await producer.send({ topic: 'Quiet', body: 'x' })
  await producer.send({ topic: 'Busy', body: 'x' })
  consumer.subscribe('Busy').onMessage(() => {})
  await consumer.start()
  sent = (async () => {
    while (sending) {
      for (let i = 0; i < 20; i++) await producer.send({ topic: 'Busy', body: 'x' })
      await new Promise(resolve => setTimeout(resolve, 100))
    }
  })()
})
after(async () => {
  sending = false
  await sent
  await Promise.all([producer.close(), consumer.close()])
  await skua.stop()
})

test('top --json: a line a tick, with rates out of two readings; a group and a topic that are still have none', async () => {
  const { output, exitCode } = await people('top --interval 1 --count 3 --json', namesrvAddr)
  assert.equal(exitCode, 0)
  const ticks = output
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Tick)
  assert.equal(ticks.length, 3)
  for (const { topics, groups } of ticks) {
    const [busy, quiet] = topics
    assert.deepEqual([busy!.topic, quiet!.topic, quiet!.inPerSecond, quiet!.messages], ['Busy', 'Quiet', 0, 1])
    assert.ok(busy!.inPerSecond > 0 && busy!.inPerSecond <= 210, `${busy!.inPerSecond} messages a second`)
    assert.deepEqual([groups[0]!.group, groups[0]!.members], ['eaters', 1])
    assert.ok(groups[0]!.consumedPerSecond > 0)
  }
})

test('top where there is no terminal: one table, and an end', async () => {
  const { output, exitCode } = await people('top --interval 1', namesrvAddr)
  assert.equal(exitCode, 0)
  assert.match(output, /^20\S+ \S+ {2}in \d[\d.]*\/s, consumed \d[\d.]*\/s, [\d,.]+ waiting\n\nGROUP/)
  assert.match(output, /^eaters +1 +\d+(\.\d)? +\d+ +[+-]?\d/m)
  assert.equal(output.match(/^TOPIC/gm)!.length, 1)
  assert.ok(!output.includes('\x1b'))
})

test('top fits its window, and draws again when that changes', async () => {
  const session = new AdminSession({ namesrvAddr })
  const drawn: (readonly string[])[] = []
  const size = { columns: 30, rows: 8 }
  let ears: { quit(): void; resized(): void } | undefined
  const screen = (given: typeof ears) => {
    ears = given
    return {
      get columns() {
        return size.columns
      },
      get rows() {
        return size.rows
      },
      draw: (lines: readonly string[]) => void drawn.push(lines),
      close: () => void drawn.push(['closed']),
    }
  }
  const desk = { out: () => undefined, error: () => {}, ask: undefined, screen: screen as never }
  const given = { session, words: [], options: { interval: 1 }, timeoutMs: 5000, isJson: false }
  const done = carryOutLive(
    top,
    { ...given, say: async () => {}, confirm: async () => true, edit: async (text: string) => text },
    desk,
  )
  await until('something is drawn', () => drawn.length >= 2)
  assert.ok(drawn[1]!.length <= 8 && drawn[1]!.every(line => line.length <= 30))
  size.columns = 100
  ears!.resized()
  assert.match(drawn.at(-1)![0]!, /waiting$/)
  ears!.quit()
  assert.equal(await done, 0)
  assert.deepEqual(drawn.at(-1), ['closed'])
  await session.close()
})

test('top while a name server is away: the last picture with the reason; at the start: an error', async () => {
  const other = await startStandalone({ port: 0, store: 'memory' })
  const running = ServerProcess.skua(['top', '-n', other.namesrvAddr, '--interval', '1', '--json'])
  await running.says(/\n/)
  await other.stop()
  await running.says(/"problem":"no name server answers/)
  await running.signal('SIGTERM')
  const { exitCode, errors } = await people('top', other.namesrvAddr)
  assert.equal(exitCode, 1)
  assert.match(errors, /^skua top: no name server answers/)
})

const hasScript = spawnSync('script', ['--version']).status === 0
const skip = hasScript ? false : 'script of util-linux is not installed'

/** A shell in a terminal: its settings, top, its exit code, its settings again. */
class InTerminal {
  output = ''
  readonly child: ChildProcess
  readonly ended: Promise<void>

  constructor(server: string) {
    const line = `stty rows 20 cols 70; stty -g; ${process.execPath} ${bundle} top -n ${server} --interval 1; echo "code $?"; stty -g`
    this.child = spawn('script', ['-qefc', line, '/dev/null'], { stdio: ['pipe', 'pipe', 'ignore'] })
    this.child.stdout!.on('data', chunk => {
      this.output += String(chunk)
    })
    this.ended = new Promise(resolve => this.child.once('close', () => resolve()))
  }

  /** Settings before and after, the exit code, and what top drew. */
  async end() {
    await this.ended
    const [first, ...rest] = this.output.split(/\r?\n/)
    const last = rest.filter(line => line !== '').at(-1)
    return { first, last, code: /code (\d+)/.exec(this.output)?.[1] }
  }
}

const enter = '\x1b[?1049h'
const leave = '\x1b[?1049l'

for (const [name, end] of [
  ['q', (terminal: InTerminal) => terminal.child.stdin!.write('q')],
  ['Ctrl-C', (terminal: InTerminal) => terminal.child.stdin!.write('\u0003')],
] as const)
  test(`top in a terminal: the other screen, and after ${name} the terminal as it was`, { skip }, async () => {
    const terminal = new InTerminal(namesrvAddr)
    await until('it is drawn', () => /eaters +1/.test(terminal.output) && terminal.output.includes('q quits'))
    end(terminal)
    const { first, last, code } = await terminal.end()
    assert.equal(code, '0')
    assert.ok(terminal.output.includes(enter))
    assert.ok(terminal.output.indexOf(leave) > terminal.output.indexOf('eaters'))
    assert.equal(first, last)
  })

test('top in a terminal, and nobody answers: the terminal as it was, then the error', { skip }, async () => {
  const terminal = new InTerminal('127.0.0.1:1')
  const { first, last, code } = await terminal.end()
  assert.equal(code, '1')
  assert.ok(terminal.output.indexOf(leave) > terminal.output.indexOf(enter))
  assert.ok(terminal.output.indexOf('skua top: no name server answers') > terminal.output.indexOf(leave))
  assert.equal(first, last)
})
