import type { Clock } from '../clock.ts'

/** The calls that can be made to fail or to be slow; `sync` is syncData and syncDataSync, `names` create, rename, remove and syncDirectory. */
export type DiskCall = 'open' | 'read' | 'write' | 'truncate' | 'sync' | 'names'

/** What slow calls take time from: a SimClock, or a clock of the machine that can stand still for a while. */
export interface FaultClock extends Clock {
  /** The loop does nothing for that long. */
  block(ms: number): void
}

export interface DiskFault {
  readonly on: DiskCall
  /** The system's code, or ESHORTWRITE: half of the bytes are written first. */
  readonly code: string
  /** Only paths that contain this. */
  readonly path?: string
  /** Only reads that touch bytes of the file from the first up to the second one: a bad place of the disk. */
  readonly place?: readonly [number, number]
  /** Calls that still succeed before; default 0. */
  readonly skip?: number
  /** Calls that fail; default all until the fault is lifted. */
  readonly times?: number
}

export interface DiskDelay {
  readonly on: 'read' | 'write' | 'sync'
  /** Asynchronous calls take that long; synchronous ones block the loop for it. */
  readonly ms: number
  readonly path?: string
}

interface Armed {
  readonly fault: DiskFault
  skip: number
  times: number
}

/** What is wrong with a SimDisk at the moment. Nothing at first. */
export class DiskFaults {
  /** Bytes that may still be written before ENOSPC. The write that crosses it is short, the next ones fail. */
  bytesUntilFull = Number.POSITIVE_INFINITY
  private readonly faults = new Set<Armed>()
  private readonly delays = new Set<DiskDelay>()

  /** Returns how to lift it. */
  fail(fault: DiskFault): () => void {
    const armed = { fault, skip: fault.skip ?? 0, times: fault.times ?? Number.POSITIVE_INFINITY }
    this.faults.add(armed)
    return () => this.faults.delete(armed)
  }

  /** Returns how to lift it. */
  slow(slowness: DiskDelay): () => void {
    this.delays.add(slowness)
    return () => this.delays.delete(slowness)
  }

  /** Everything works again. */
  clear(): void {
    this.faults.clear()
    this.delays.clear()
    this.bytesUntilFull = Number.POSITIVE_INFINITY
  }

  /** The code this call fails with, if it does; `bytes`: those of the file that are read. Counts the call. */
  codeFor(on: DiskCall, path: string, bytes?: readonly [number, number]): string | undefined {
    for (const armed of this.faults) {
      const { place } = armed.fault
      if (armed.fault.on !== on || !path.includes(armed.fault.path ?? '')) continue
      if (place !== undefined && bytes !== undefined && (bytes[1] <= place[0] || bytes[0] >= place[1])) continue
      if (armed.skip > 0) {
        armed.skip--
        continue
      }
      if (--armed.times <= 0) this.faults.delete(armed)
      return armed.fault.code
    }
    return undefined
  }

  /** Milliseconds this call takes. */
  delayOf(on: DiskDelay['on'], path: string): number {
    let ms = 0
    for (const slowness of this.delays) if (slowness.on === on && path.includes(slowness.path ?? '')) ms += slowness.ms
    return ms
  }
}
