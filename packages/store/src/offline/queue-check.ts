import { lightQueuePrefix, PropertyScan, scanProperties } from '@skua-mq/protocol'
import type { Disk } from '@skua-mq/runtime'
import { isMessageUnit, unitBytes, unitPhysicalOffset, unitSize, unitTagsCode } from '../consume-queue/unit.ts'
import { RecordView } from '../record/record-view.ts'
import type { OffsetFile, QueueDirectory, StoreDirectory } from './directory.ts'
import { ExtReading } from './ext-reading.ts'
import type { Findings } from './findings.ts'

/** Units that are read at once, and of how many queues they are kept. */
const blockUnits = 1024
const maxBlocks = 512

interface QueueState {
  readonly directory: QueueDirectory
  readonly block: { bytes: Buffer; firstUnit: number; count: number }
  /** Records of the log whose entry is right. */
  matched: number
}

export interface QueueCheckParts {
  readonly disk: Disk
  readonly store: StoreDirectory
  readonly findings: Findings
  readonly isWhole: boolean
  /** Whether the queues of a topic carry something else than the hash of the tags. */
  readonly isSpecial: (topic: string) => boolean
}

/** Compares the consume queues with the log, record by record. */
export class QueueCheck {
  private readonly disk: Disk
  private readonly store: StoreDirectory
  private readonly findings: Findings
  /** The store was closed: each message must have its entry. */
  private readonly isWhole: boolean
  private readonly isSpecial: (topic: string) => boolean
  private readonly states = new Map<string, QueueState>()
  private readonly blocks = new Set<QueueState>()
  private readonly absent = new Map<string, number>()
  private readonly properties = new PropertyScan()
  private readonly ext: ExtReading

  constructor(parts: QueueCheckParts) {
    this.isSpecial = parts.isSpecial
    this.isWhole = parts.isWhole
    this.disk = parts.disk
    this.ext = new ExtReading(parts.disk)
    this.store = parts.store
    this.findings = parts.findings
    for (const directory of parts.store.queues)
      this.states.set(`${directory.topic}/${directory.queueId}`, {
        directory,
        block: { bytes: Buffer.alloc(0), firstUnit: 0, count: 0 },
        matched: 0,
      })
  }

  /** A record of the log that has a place in a queue. */
  record(view: RecordView): void {
    const topic = view.topic
    const name = `${topic}/${view.queueId}`
    const state = this.states.get(name)
    if (state === undefined) {
      this.absent.set(name, (this.absent.get(name) ?? 0) + 1)
      return
    }
    const at = this.unitAt(state, view.queueOffset)
    if (at === undefined) {
      if (!this.isWhole) return
      this.findings.add(
        `consumequeue ${name} `,
        `${view.queueOffset}: the message at ${view.physicalOffset} has no entry`,
      )
      return
    }
    const { bytes } = state.block
    // An entry that says something else is told when all entries are looked at, which then follows.
    if (unitPhysicalOffset(bytes, at) !== view.physicalOffset || unitSize(bytes, at) !== view.size) return
    state.matched++
    const wrong = this.wrongCode(view, state, at)
    if (wrong !== undefined) this.findings.add(`consumequeue ${name} `, `${view.queueOffset}: ${wrong}`)
  }

  /** After the last record. `isDeleted`: the topic is known to be gone, so that its messages need no queue. */
  async finish(isDeleted: (topic: string) => boolean): Promise<void> {
    this.ext.close()
    for (const [name, count] of this.absent) {
      if (this.isWhole && !isDeleted(name.slice(0, name.lastIndexOf('/'))))
        this.findings.add('consumequeue ', `${name}: missing, ${count} messages of the log belong there`)
    }
    for (const { directory, matched } of this.states.values()) {
      const entries = await this.entriesOf(directory)
      if (entries !== matched) await this.findStrays(directory)
    }
  }

  private wrongCode(view: RecordView, { directory, block }: QueueState, at: number): string | undefined {
    const found = this.ext.find(directory, block.bytes, at)
    if (found !== undefined && found.unit === undefined) return `no extended unit at ${found.address}`
    if (this.isSpecial(directory.topic)) return undefined
    const code = found?.unit === undefined ? unitTagsCode(block.bytes, at) : found.unit.tagsLow
    scanProperties(view.bytes, view.propertiesAt, view.propertiesAt + view.propertiesLength, this.properties)
    if (code === this.properties.tagsCode) return undefined
    return `tags code ${code}, the message at ${view.physicalOffset} has ${this.properties.tagsCode}`
  }

  /** Place of a unit in the state's block; undefined when none was written there. */
  private unitAt(state: QueueState, unit: number): number | undefined {
    const { block } = state
    if (unit < block.firstUnit || unit >= block.firstUnit + block.count) this.load(state, unit)
    if (unit < block.firstUnit || unit >= block.firstUnit + block.count) return undefined
    const at = (unit - block.firstUnit) * unitBytes
    return isMessageUnit(block.bytes, at) ? at : undefined
  }

  private load(state: QueueState, unit: number): void {
    const { block, directory } = state
    block.count = 0
    const place = unit * unitBytes
    const file = directory.files.find(({ base, size }) => place >= base && place < base + size)
    if (file === undefined) return
    this.makeRoom(state)
    const handle = this.disk.open(file.path, 'read')
    try {
      const length = handle.readSync(block.bytes, 0, block.bytes.length, place - file.base)
      block.firstUnit = unit
      block.count = Math.floor(length / unitBytes)
    } finally {
      handle.closeSync()
    }
  }

  private makeRoom(state: QueueState): void {
    if (this.blocks.has(state)) return
    if (this.blocks.size >= maxBlocks) {
      const [oldest] = this.blocks
      this.blocks.delete(oldest!)
      oldest!.block.bytes = Buffer.alloc(0)
      oldest!.block.count = 0
    }
    state.block.bytes = Buffer.allocUnsafeSlow(blockUnits * unitBytes)
    this.blocks.add(state)
  }

  /** Entries of messages that are still in the log: those of deleted files stay until their queue file goes too. */
  private async entriesOf(directory: QueueDirectory): Promise<number> {
    let count = 0
    await this.eachUnit(directory, () => count++)
    return count
  }

  private async findStrays(directory: QueueDirectory): Promise<void> {
    const log = new LogAt(this.disk, this.store)
    try {
      await this.eachUnit(directory, (bytes, at, queueOffset) => {
        const physicalOffset = unitPhysicalOffset(bytes, at)
        const wrong = log.wrong({ physicalOffset, size: unitSize(bytes, at), queueOffset, directory })
        if (wrong !== undefined)
          this.findings.add(`consumequeue ${directory.topic}/${directory.queueId} `, `${queueOffset}: ${wrong}`)
      })
    } finally {
      log.close()
    }
  }

  private async eachUnit(
    directory: QueueDirectory,
    visit: (bytes: Buffer, at: number, queueOffset: number) => void,
  ): Promise<void> {
    const first = this.store.log[0]?.base ?? 0
    const block = Buffer.allocUnsafeSlow(unitBytes * 16_384)
    for (const file of directory.files) {
      const handle = this.disk.open(file.path, 'read')
      try {
        for (let from = 0; from < file.size; from += block.length) {
          const length = await handle.read(block, 0, Math.min(block.length, file.size - from), from)
          for (let at = 0; at + unitBytes <= length; at += unitBytes) {
            if (isMessageUnit(block, at) && unitPhysicalOffset(block, at) >= first)
              visit(block, at, (file.base + from + at) / unitBytes)
          }
        }
      } finally {
        handle.closeSync()
      }
    }
  }
}

interface EntryAt {
  readonly physicalOffset: number
  readonly size: number
  readonly queueOffset: number
  readonly directory: QueueDirectory
}

/** Looks up single records of the log; holds the file of the last one open. */
export class LogAt {
  private readonly disk: Disk
  private readonly store: StoreDirectory
  private readonly view = new RecordView()
  private open: { file: OffsetFile; handle: ReturnType<Disk['open']> } | undefined

  constructor(disk: Disk, store: StoreDirectory) {
    this.disk = disk
    this.store = store
  }

  close(): void {
    this.open?.handle.closeSync()
    this.open = undefined
  }

  /** The record of `size` bytes at an offset; a reason why there is none. */
  record(physicalOffset: number, size: number): RecordView | string {
    const file = this.store.log.find(
      ({ base, size: length }) => physicalOffset >= base && physicalOffset < base + length,
    )
    if (file === undefined || physicalOffset + size > file.base + file.size)
      return `points to ${physicalOffset}, which is not in the log`
    if (this.open?.file !== file) {
      this.close()
      this.open = { file, handle: this.disk.open(file.path, 'read') }
    }
    const bytes = Buffer.allocUnsafe(size)
    const length = this.open.handle.readSync(bytes, 0, size, physicalOffset - file.base)
    const { view } = this
    if (view.parse(bytes, 0, length) !== 'record' || view.physicalOffset !== physicalOffset)
      return `points to ${physicalOffset}, where no record begins`
    return view
  }

  /** What is wrong with an entry of a queue, or undefined. */
  wrong(entry: EntryAt): string | undefined {
    const { physicalOffset, size, queueOffset } = entry
    const view = this.record(physicalOffset, size)
    if (typeof view === 'string') return view
    if (view.size !== size) return `says ${size} bytes, the record at ${physicalOffset} has ${view.size}`
    const { topic, queueId } = entry.directory
    if (topic.startsWith(lightQueuePrefix)) return undefined
    if (view.topic === topic && view.queueId === queueId && view.queueOffset === queueOffset) return undefined
    return `points to ${physicalOffset}, which is ${view.topic}/${view.queueId} ${view.queueOffset}`
  }
}
