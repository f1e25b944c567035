import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { sendMessageV2 } from '@skua-mq/protocol'
import { RemotingClient } from '@skua-mq/remoting'
import { nodeRuntime } from '@skua-mq/runtime'
import { freePorts } from '../src/index.ts'
import { repository, ServerProcess } from './server-process.ts'

const senders = 8
const sendsEach = 40
const skip = spawnSync('strace', ['-V']).error === undefined ? false : 'strace is not on the PATH'

/** A system call that wrote to the log or synced it, or sent to a client: lines of the trace at which it began and ended. */
interface Call {
  readonly kind: 'write' | 'sync' | 'reply'
  readonly file: string
  readonly begun: number
  ended: number
  /** Of a write: the physical offsets; of a reply: that of the message that it acknowledges. */
  from: number
  to: number
}

/** strace -f -y: `PID name(FD<path>, …) = result`, or cut in two by `<unfinished ...>` and `<... name resumed>`. */
function callsOf(trace: string, port: number): Call[] {
  const calls: Call[] = []
  const open = new Map<string, Call>()
  for (const [at, line] of trace.split('\n').entries()) {
    const [, pid = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
    const call = beginOf(rest, at, port)
    if (call !== undefined) calls.push(call)
    if (rest.includes('<unfinished ...>')) {
      if (call !== undefined) open.set(pid, call)
      continue
    }
    const ended = call ?? (rest.startsWith('<... ') ? open.get(pid) : undefined)
    open.delete(pid)
    if (ended === undefined) continue
    ended.ended = at
    const result = Number(/= (-?\d+)/.exec(rest)?.[1])
    assert.ok(result >= 0, line)
    if (ended.kind === 'write') ended.to = ended.from + result
  }
  return calls
}

function beginOf(text: string, at: number, port: number): Call | undefined {
  const call = { begun: at, ended: Number.POSITIVE_INFINITY, from: 0, to: 0 }
  const [, name, file] = /^(\w+)\(\d+<([^>]*commitlog\/\d{20})>/.exec(text) ?? []
  if (file !== undefined) {
    const base = Number(file.slice(-20))
    if (name === 'fdatasync') return { ...call, kind: 'sync', file }
    const place = Number(/, (\d+)(\)| <unfinished)/.exec(text)?.[1])
    return { ...call, kind: 'write', file, from: base + place }
  }
  const isToClient = /^writev?\(\d+<(TCP|socket)/.test(text) && text.includes(`:${port}->`)
  const id = isToClient ? /\\"msgId\\":\\"([0-9A-F]{32})\\"/.exec(text)?.[1] : undefined
  if (id === undefined) return undefined
  const physicalOffset = Number.parseInt(id.slice(16), 16)
  return { ...call, kind: 'reply', file: '', from: physicalOffset, to: physicalOffset }
}

test('under SYNC_FLUSH an fdatasync of the file begins after the write of the bytes and ends before the reply begins', {
  skip,
}, async t => {
  const home = mkdtempSync(join(tmpdir(), 'skua-strace-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  const trace = join(home, 'trace')
  const { broker, nameServer } = await freePorts(nodeRuntime().net, '127.0.0.1')
  const bundle = join(repository, 'packages', 'skua', 'dist', 'bundle', 'main.js')
  const traced = ['-f', '-y', '-yy', '-s', '600', '-o', trace, '-e', 'trace=pwrite64,pwritev,fdatasync,write,writev']
  const own = ['--store', join(home, 'store'), '--port', String(broker), '--namesrv-port', String(nameServer)]
  const flags = [...own, '--config', 'flushDiskType=SYNC_FLUSH', '--config', 'mappedFileSizeCommitLog=65536']
  const server = new ServerProcess('strace', [...traced, process.execPath, bundle, ...flags])
  await server.says(/Ctrl-C/)
  const send = async (sender: number) => {
    // A connection for each, since replies that leave together on one are one call.
    const client = new RemotingClient(nodeRuntime())
    for (let i = 0; i < sendsEach; i++) {
      const header = {
        producerGroup: 'p',
        topic: 'Synced',
        defaultTopic: 'TBW102',
        defaultTopicQueueNums: 4,
        queueId: sender % 4,
        sysFlag: 0,
        bornTimestamp: 1,
        flag: 0,
        unitMode: false,
        batch: false,
      }
      const reply = await client.request(`127.0.0.1:${broker}`, sendMessageV2, header, {
        body: Buffer.alloc(300 + i),
        timeoutMs: 20_000,
      })
      assert.equal(reply.code, 0, reply.remark)
    }
    await client.close()
  }
  await Promise.all(Array.from({ length: senders }, (_, sender) => send(sender)))
  const [pid] = execFileSync('ps', ['--ppid', String(server.child.pid), '-o', 'pid='])
    .toString()
    .trim()
    .split(/\s+/)
  process.kill(Number(pid), 'SIGTERM')
  assert.equal(await server.exit(), 0)

  const calls = callsOf(readFileSync(trace, 'utf8'), broker)
  const of = (kind: Call['kind']) => calls.filter(call => call.kind === kind)
  const [writes, syncs, replies] = [of('write'), of('sync'), of('reply')]
  assert.equal(replies.length, senders * sendsEach)
  assert.ok(new Set(writes.map(({ file }) => file)).size > 1, 'several files')
  for (const reply of replies) {
    const write = writes.find(({ from, to }) => reply.from >= from && reply.from < to)
    assert.ok(write !== undefined && write.ended < reply.begun, `the bytes at ${reply.from} are written before`)
    const sync = syncs.find(
      ({ file, begun, ended }) => file === write.file && begun > write.ended && ended < reply.begun,
    )
    assert.ok(sync, `the reply at line ${reply.begun} for ${reply.from}, written at line ${write.ended}`)
  }
  t.diagnostic(`${replies.length} replies, ${writes.length} writes, ${syncs.length} fdatasyncs`)
})
