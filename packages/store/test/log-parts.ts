import { EventHub, SimClock, SimDisk, SimRandom } from '@skua-mq/runtime'
import { CommitLog } from '../src/commit-log/commit-log.ts'
import { Segments } from '../src/commit-log/segments.ts'
import { OpenFiles } from '../src/file/open-files.ts'
import { Health } from '../src/health.ts'

/** A log of bytes that say where they lie, on a disk of its own, without a store around it. */
export class LogParts {
  readonly clock = new SimClock()
  readonly disk = new SimDisk(this.clock)
  readonly events = new EventHub()
  readonly health = new Health(this.events)
  readonly log: CommitLog

  constructor(options: { size?: number; chunkBytes?: number; ringBytes?: number } = {}) {
    const { size = 16_384, chunkBytes = 4096, ringBytes = 65_536 } = options
    const files = new OpenFiles(this.disk, 100)
    const segments = new Segments({ disk: this.disk, files }, { directory: '/log', size })
    segments.load({ crashed: false })
    this.log = new CommitLog(segments, { chunkBytes, ringBytes })
    this.log.open(0, 0)
  }

  /** Writes the next bytes of the log. */
  write(length: number): void {
    this.log.appendPadding(bytesAt(this.log.end, length))
    this.log.writeTurn()
  }

  /** Puts the next bytes into memory, together in one chunk, as records are. They are written with the turn. */
  take(length: number): void {
    const chunk = this.log.reserve(length)
    bytesAt(this.log.end, length).copy(chunk.bytes, chunk.used)
    this.log.commit(chunk, length)
  }

  /** What the files hold from one offset to another, whatever is open. */
  onDisk(from: number, to: number): Buffer {
    const { segments } = this.log
    const files = segments.all.map(({ path, base }) => ({ base, bytes: this.disk.readFile(path) }))
    return Buffer.concat(
      files.map(({ base, bytes }) => bytes.subarray(Math.max(0, from - base), Math.max(0, to - base))),
    )
  }

  /** All that was not synced is lost: what the files hold then is on the medium. */
  powerCut(): void {
    this.disk.powerCut(new LosesAll(1))
  }

  /** How many calls have a segment's file open. */
  pinsOf(base: number): number {
    const { segments } = this.log
    const handle = segments.acquire(segments.find(base)!)
    segments.release(handle)
    return handle.pins
  }
}

/** What lies at an offset of the log; never zero. */
export function bytesAt(offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let i = 0; i < length; i++) bytes[i] = 1 + ((Math.imul(offset + i, 2_654_435_761) >>> 16) % 255)
  return bytes
}

/** The dice of a power cut that nothing unsynced survives. */
class LosesAll extends SimRandom {
  override int(): number {
    return 1
  }

  override chance(): boolean {
    return false
  }
}
