import type { Disk } from '@skua-mq/runtime'
import { layoutOf } from '../file/layout.ts'
import type { RecordView } from '../record/record-view.ts'
import type { StoreDirectory } from './directory.ts'
import type { Findings } from './findings.ts'
import { type IndexEntry, IndexReading } from './index-reading.ts'
import { keysOf } from './record-keys.ts'

/**
 * Compares the index with the log. Both are in the order in which messages came, so one walks along the other; entries
 * that come twice, or late, are kept aside until their message was seen.
 */
export class IndexCheck {
  private readonly findings: Findings
  private readonly names: readonly string[]
  private readonly open: (name: string) => IndexReading
  private readonly entries: Iterator<IndexEntry>
  private current: IndexEntry | undefined
  private readonly missing = new Map<string, { offset: number; hash: number; key: string }>()
  private firstOffset = 0
  private isReadable = true

  constructor(parts: { disk: Disk; root: string; store: StoreDirectory; findings: Findings }) {
    const { index } = layoutOf({ storePathRootDir: parts.root, storePathCommitLog: '' })
    this.findings = parts.findings
    this.names = parts.store.index
    this.firstOffset = parts.store.log[0]?.base ?? 0
    this.open = name => new IndexReading(parts.disk, index, name)
    this.entries = this.walk()
    this.advance()
  }

  record(view: RecordView): void {
    if (!this.isReadable) return
    const topic = view.topic
    const offset = view.physicalOffset
    const keys = keysOf(view, topic)
    // A list, since different keys of a message may have the same hash.
    const found: number[] = []
    while (this.current !== undefined && this.current.physicalOffset <= offset) {
      if (this.current.physicalOffset === offset) found.push(this.current.hash)
      else if (this.current.physicalOffset >= this.firstOffset) this.takeLate(this.current)
      this.advance()
    }
    for (const { key, hash } of keys) {
      const at = found.indexOf(hash)
      if (at < 0) this.lacks({ offset, hash, key: `${topic}#${key}` })
      else found.splice(at, 1)
    }
    for (const hash of found)
      this.findings.add('index ', `entry of the message at ${offset}: no key of it has the hash ${hash}`)
  }

  finish(): void {
    if (!this.isReadable) return
    for (; this.current !== undefined; this.advance()) {
      if (this.current.physicalOffset >= this.firstOffset) this.takeLate(this.current)
    }
    for (const { offset, key } of this.missing.values())
      this.findings.add('index ', `the message at ${offset} is not found by ${key}`)
  }

  /** An entry behind the walk: a message that was put again after a crash, or one that comes late. */
  private takeLate({ physicalOffset, hash }: IndexEntry): void {
    this.missing.delete(`${physicalOffset} ${hash}`)
  }

  private lacks(missing: { offset: number; hash: number; key: string }): void {
    // Beyond what is told anyway they are only counted.
    if (this.missing.size < maxMissing) this.missing.set(`${missing.offset} ${missing.hash}`, missing)
    else this.findings.add('index ', `the message at ${missing.offset} is not found by ${missing.key}`)
  }

  private advance(): void {
    const next = this.entries.next()
    this.current = next.done === true ? undefined : next.value
  }

  private *walk(): Generator<IndexEntry, void, void> {
    for (const name of this.names) {
      const reading = this.open(name)
      try {
        const slots = reading.slots()
        if (slots === undefined) {
          this.isReadable = false
          this.findings.add('index ', `${name}: its first entry is not where it should be`)
          return
        }
        yield* reading.entries(slots, this.findings)
      } finally {
        reading.close()
      }
    }
  }
}

/** Keys without an entry that may still come. */
const maxMissing = 1_000_000
