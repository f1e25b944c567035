import fs from 'node:fs'
import type { DiskFile } from '../disk.ts'
import { DiskError } from '../error.ts'
import { codeOf } from './code.ts'

/**
 * An open file descriptor. Calls in the pool hold it open: `closeSync` takes effect when the last of them is back,
 * because the system gives a closed number to the next file that is opened, and a late write would land there.
 */
export class NodeFile implements DiskFile {
  readonly path: string
  private readonly fd: number
  private inPool = 0
  private closed = false

  constructor(path: string, fd: number) {
    this.path = path
    this.fd = fd
  }

  writeSync(bytes: Uint8Array, start: number, end: number, position: number): void {
    const wanted = end - start
    let written = 0
    try {
      written = fs.writeSync(this.descriptor(), bytes, start, wanted, position)
      // What is left is tried once more: the system then says why it was cut short.
      if (written < wanted)
        written += fs.writeSync(this.descriptor(), bytes, start + written, wanted - written, position + written)
    } catch (error) {
      throw this.failure(error)
    }
    if (written < wanted) throw new DiskError('ESHORTWRITE', this.path)
  }

  write(bytes: Uint8Array, start: number, end: number, position: number): Promise<void> {
    const wanted = end - start
    return this.pooled<void>((resolve, reject) => {
      const fd = this.descriptor()
      const rest = (done: number, isAgain: boolean) => {
        fs.write(fd, bytes, start + done, wanted - done, position + done, (error, count) => {
          if (error) reject(this.failure(error))
          else if (done + count === wanted) resolve()
          else if (isAgain) reject(new DiskError('ESHORTWRITE', this.path))
          else rest(done + count, true)
        })
      }
      rest(0, false)
    })
  }

  readSync(into: Uint8Array, at: number, length: number, position: number): number {
    let done = 0
    try {
      while (done < length) {
        const count = fs.readSync(this.descriptor(), into, at + done, length - done, position + done)
        if (count === 0) break
        done += count
      }
    } catch (error) {
      throw this.failure(error)
    }
    return done
  }

  read(into: Uint8Array, at: number, length: number, position: number): Promise<number> {
    return this.pooled<number>((resolve, reject) => {
      const fd = this.descriptor()
      let done = 0
      const next = () => {
        fs.read(fd, into, at + done, length - done, position + done, (error, count) => {
          if (error) return reject(this.failure(error))
          done += count
          if (count === 0 || done === length) resolve(done)
          else next()
        })
      }
      next()
    })
  }

  syncData(): Promise<void> {
    return this.pooled<void>((resolve, reject) => {
      fs.fdatasync(this.descriptor(), error => (error ? reject(this.failure(error)) : resolve()))
    })
  }

  syncDataSync(): void {
    this.wrapped(() => fs.fdatasyncSync(this.descriptor()))
  }

  truncateSync(size: number): void {
    this.wrapped(() => fs.ftruncateSync(this.descriptor(), size))
  }

  size(): number {
    return this.wrapped(() => fs.fstatSync(this.descriptor()).size)
  }

  touch(atMs: number): void {
    // Seconds as a double are off by up to 0.2 µs, which the system cuts down to the millisecond before.
    const seconds = (atMs + 0.0005) / 1000
    this.wrapped(() => fs.futimesSync(this.descriptor(), seconds, seconds))
  }

  closeSync(): void {
    if (this.closed) return
    this.closed = true
    if (this.inPool === 0) this.wrapped(() => fs.closeSync(this.fd))
  }

  private descriptor(): number {
    if (this.closed) throw new DiskError('EBADF', this.path)
    return this.fd
  }

  private async pooled<T>(
    start: (resolve: (value: T) => void, reject: (error: DiskError) => void) => void,
  ): Promise<T> {
    this.inPool++
    try {
      return await new Promise<T>(start)
    } finally {
      this.inPool--
      if (this.closed && this.inPool === 0) this.wrapped(() => fs.closeSync(this.fd))
    }
  }

  private wrapped<T>(call: () => T): T {
    try {
      return call()
    } catch (error) {
      throw this.failure(error)
    }
  }

  private failure(error: unknown): DiskError {
    return error instanceof DiskError ? error : new DiskError(codeOf(error), this.path, error)
  }
}
