import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { type BrokerConfig, brokerOptions, specialQueues } from '@skua-mq/broker'
import { topicConfigTableFile } from '@skua-mq/protocol'
import { ConfigFile, configOf, NodeProcessFacts, nodeRuntime, type Runtime } from '@skua-mq/runtime'
import {
  exportedLine,
  geometryOf,
  importMessages,
  type Repair,
  readStoreDirectory,
  repairStore,
  Store,
  type StoreConfig,
  storeConfig,
  storedMessages,
  storeOptions,
} from '@skua-mq/store'
import { configure } from './config-file.ts'
import { ProgressBar } from './progress-bar.ts'
import { diskOf, print } from './store.ts'

/** Lines are gathered up to about this size before they are written. */
const chunkChars = 256 * 1024

/** What a broker.conf says, or the defaults where there is none. */
function brokerConfigOf(file: string | undefined): BrokerConfig {
  return file === undefined
    ? configOf(brokerOptions)
    : configure(brokerOptions, { file, further: [], env: process.env }).config
}

/** The store's keys that are not as by default: what they leave open is told by the files. */
function storeChanges(config: BrokerConfig): Partial<StoreConfig> {
  const defaults: Record<string, unknown> = configOf(storeOptions)
  return Object.fromEntries(Object.entries(config).filter(([key, value]) => key in defaults && value !== defaults[key]))
}

function needs() {
  const runtime = nodeRuntime()
  return { ...runtime, facts: new NodeProcessFacts() }
}

/** `skua store repair`. */
export async function repair(
  root: string,
  { configFile, dryRun }: { configFile?: string; dryRun?: boolean },
): Promise<void> {
  diskOf(root)
  const parts = needs()
  const bar = new ProgressBar('repair', () => parts.clock.monotonic())
  const at = new Date(parts.clock.now()).toISOString().replaceAll(/\D/g, '').slice(0, 14)
  const config = brokerConfigOf(configFile)
  const needed = { ...parts, special: specialQueues(config) }
  const done = await repairStore(root, needed, {
    config: storeChanges(config),
    keptName: `skua.kept-${at}`,
    progress: bar.update,
    ...(dryRun === undefined ? {} : { dryRun }),
  })
  bar.end()
  for (const line of repairLines(done, dryRun === true)) await print(line)
}

function* repairLines(repair: Repair, isDry: boolean): Generator<string> {
  const { cut, damaged, wrongBodies, kept, records } = repair
  yield `${records.toLocaleString('en-US')} messages, the log ends at ${repair.end}`
  for (const { offset, to } of damaged)
    yield `commitlog ${offset}: cannot be read up to ${to}; the messages there are lost, those behind are kept`
  for (const offset of wrongBodies.slice(0, 20))
    yield `commitlog ${offset}: the body does not match its CRC; it stays, and consumers will refuse it`
  if (wrongBodies.length > 20) yield `… and ${wrongBodies.length - 20} more bodies`
  const would = isDry ? 'would be ' : ''
  if (cut !== undefined) yield `commitlog ${cut.offset}: a torn tail of ${cut.bytes} bytes ${would}cut`
  if (records === 0) return
  yield `queues and index ${would}rebuilt from the log; what was there ${isDry ? 'would be kept' : 'is kept'} in ${kept}`
}

/** `skua store export`: a line of JSON for each message, in log order. */
export async function exportStore(root: string, { out }: { out?: string }): Promise<void> {
  const disk = diskOf(root)
  const { clock } = nodeRuntime()
  const bar = new ProgressBar('export', () => clock.monotonic())
  const to: Writable = out === undefined ? process.stdout : createWriteStream(out, { flags: 'wx' })
  if (out !== undefined) await once(to, 'open')
  let text = ''
  for await (const message of storedMessages(disk, root, {}, bar.update)) {
    text += `${exportedLine(message)}\n`
    // One write for many lines: a write for each costs more than all the rest.
    if (text.length < chunkChars) continue
    if (!to.write(text)) await once(to, 'drain')
    text = ''
  }
  to.write(text)
  bar.end()
  if (out === undefined) return
  to.end()
  await once(to, 'close')
}

/** `skua store import`: messages of an export into a store, which is made when it is not there. */
export async function importStore(root: string, file: string, { configFile }: { configFile?: string }): Promise<void> {
  const parts = needs()
  const store = readStoreDirectory(parts.disk, root)
  const brokerConfig = brokerConfigOf(configFile)
  const config = storeConfig({ ...storeChanges(brokerConfig), ...geometryOf(parts.disk, root, store) })
  const opened = new Store(config, { ...parts, special: specialQueues(brokerConfig) })
  const bar = new ProgressBar('import', () => parts.clock.monotonic())
  const input = file === '-' ? process.stdin : createReadStream(file)
  if (file !== '-') await once(input, 'open')
  const total = file === '-' ? 0 : (parts.disk.stat(file)?.size ?? 0)
  const lines = linesOf(input, read => bar.update(read, total))
  await opened.start()
  try {
    const done = await importMessages(opened, lines, parts.clock)
    addTopics(parts, root, done.queues)
    bar.end()
    await print(`${done.messages.toLocaleString('en-US')} messages in ${done.queues.size} topics`)
    if (done.leftOut > 0) await print(`${done.leftOut} of transactions left out: they hold in their own store only`)
  } finally {
    await opened.stop()
  }
}

/** The lines of a stream, from its first byte on, whenever reading begins; readline loses what comes before that. */
async function* linesOf(input: Readable, onRead: (bytes: number) => void): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  let read = 0
  for await (const chunk of input as AsyncIterable<Buffer>) {
    read += chunk.length
    onRead(read)
    const lines = (rest + decoder.write(chunk)).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  yield rest + decoder.end()
}

/** A broker serves the queues of topics that it knows. */
function addTopics(runtime: Runtime, root: string, queues: ReadonlyMap<string, number>): void {
  const file = new ConfigFile(`${root}/config/topics.json`, runtime)
  const known = file.load(bytes => topicConfigTableFile.decode(bytes))
  const table = new Map(known?.topicConfigTable)
  let changed = false
  for (const [topicName, count] of queues) {
    const had = table.get(topicName)
    if (had !== undefined && had.readQueueNums >= count) continue
    changed = true
    const common = { perm: 6, topicFilterType: 'SINGLE_TAG', topicSysFlag: 0, order: false } as const
    table.set(topicName, { ...common, ...had, topicName, readQueueNums: count, writeQueueNums: count })
  }
  if (!changed) return
  const dataVersion = { timestamp: runtime.clock.now(), counter: (known?.dataVersion.counter ?? 0) + 1 }
  file.save(topicConfigTableFile.encode({ topicConfigTable: table, dataVersion }))
}
