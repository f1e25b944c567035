import { brokerOptions, specialQueues } from '@skua-mq/broker'
import { type StoredMessage, topicConfigTableFile, wheelTimerTopic } from '@skua-mq/protocol'
import { ConfigFile, configOf, Failure, nodeRuntime } from '@skua-mq/runtime'
import { messageJson, type RecordFilter, readStoreDirectory, storedMessages, verifyStore } from '@skua-mq/store'
import { ProgressBar } from './progress-bar.ts'

export interface StoreCat {
  readonly filter: RecordFilter
  readonly count?: number | undefined
  readonly json?: boolean | undefined
}

/** The runtime's disk, for a directory that is there: a mistyped path is not an empty store. */
export function diskOf(root: string) {
  const { disk } = nodeRuntime()
  // `skua store cat DIR | head` ends when head has enough.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  if (disk.stat(`${root}/commitlog`)?.directory !== true) throw new Failure('ENOSTORE', `${root}: holds no commitlog`)
  return disk
}

/** `skua store ls`: the files of the log, each queue, the index. */
export async function listStore(root: string): Promise<void> {
  const store = readStoreDirectory(diskOf(root), root)
  for (const file of store.log) await print(`commitlog ${file.base} ${file.size}`)
  for (const { topic, queueId, files } of store.queues)
    await print(`consumequeue ${topic}/${queueId} files=${files.length}`)
  for (const name of store.index) await print(`index ${name}`)
  if (store.abort) await print('abort: the store is open, or was not closed')
}

/** `skua store cat` and `grep`: messages in log order. */
export async function catStore(root: string, command: StoreCat): Promise<void> {
  let seen = 0
  for await (const message of storedMessages(diskOf(root), root, command.filter)) {
    await print(command.json ? JSON.stringify(messageJson(message)) : line(message))
    if (++seen === command.count) break
  }
}

/** `skua store verify`: a line for each finding; exit code 1 when there is one. */
export async function checkStore(root: string): Promise<void> {
  const { clock } = nodeRuntime()
  const disk = diskOf(root)
  const bar = new ProgressBar('verify', () => clock.monotonic())
  const topics = knownTopics(root)
  const special = [...specialQueues(configOf(brokerOptions)), { topic: wheelTimerTopic }]
  const isDeleted = (topic: string) => topics !== undefined && !topics.has(topic)
  for await (const finding of verifyStore(disk, root, { progress: bar.update, isDeleted, special })) {
    bar.end()
    await print(finding)
    process.exitCode = 1
  }
  bar.end()
}

/** Topics of topics.json; undefined where it is missing. */
function knownTopics(root: string): ReadonlySet<string> | undefined {
  const { disk, events } = nodeRuntime()
  const file = new ConfigFile(`${root}/config/topics.json`, { disk, events })
  const table = file.load(bytes => topicConfigTableFile.decode(bytes))
  return table === undefined ? undefined : new Set(table.topicConfigTable.keys())
}

function line(message: StoredMessage): string {
  const { physicalOffset, topic, queueId, queueOffset, properties, body } = message
  const tag = properties.get('TAGS')
  return `${physicalOffset} ${topic}/${queueId} @${queueOffset}${tag === undefined ? '' : ` [${tag}]`} ${JSON.stringify(Buffer.from(body).toString())}`
}

/** Waits where the reader of a pipe is slower than the disk, so that memory stays bounded. */
export function print(text: string): Promise<void> | undefined {
  if (process.stdout.write(`${text}\n`)) return undefined
  return new Promise(resolve => process.stdout.once('drain', resolve))
}
