import { ByteWriter } from '@skua-mq/protocol'
import type { Socket } from '@skua-mq/runtime'

/**
 * Up to this size batches that wait are put together, up to that size: each would keep a buffer of a channel, twenty times
 * as large as a small answer, and a peer that asks little by little and then reads would be written to thousands of times
 * in one turn.
 */
const smallBytes = 4096
const gatheredBytes = 64 * 1024

/** Parts that go out in one write, and what to run when they are no longer needed. */
interface Batch {
  parts: readonly Uint8Array[]
  releases: (() => void)[]
  bytes: number
  /** Nothing of it belongs to others any more. */
  own: boolean
  /** Where small ones are put together, instead of `parts`. */
  readonly gathered?: ByteWriter
}

/**
 * What a connection has to send, in order. The socket is given one batch at a time: what it holds cannot be changed any
 * more, while what waits here can be copied, so that a peer that reads slowly does not keep the store's memory pinned.
 */
export class Outbox {
  private readonly socket: Socket
  private readonly waiting: Batch[] = []
  private waitingBytes = 0
  /** Of the batch that the socket has. */
  private releases: (() => void)[] = []

  constructor(socket: Socket) {
    this.socket = socket
  }

  get unsentBytes(): number {
    return this.socket.unsentBytes + this.waitingBytes
  }

  add(parts: readonly Uint8Array[], releases: (() => void)[], bytes: number): void {
    if (this.unsentBytes === 0) {
      this.write(parts, releases)
      return
    }
    this.waitingBytes += bytes
    if (releases.length === 0 && bytes <= smallBytes) this.gather(parts, bytes)
    else this.waiting.push({ parts, releases, bytes, own: releases.length === 0 })
  }

  private gather(parts: readonly Uint8Array[], bytes: number): void {
    let last = this.waiting.at(-1)
    if (last?.gathered === undefined || last.bytes + bytes > gatheredBytes) {
      last = { parts: [], releases: [], bytes: 0, own: true, gathered: new ByteWriter(bytes) }
      this.waiting.push(last)
    }
    for (const part of parts) last.gathered?.raw(part)
    last.bytes += bytes
  }

  /** The socket's bytes have left. */
  drained(): void {
    run(this.releases)
    this.releases = []
    while (this.waiting.length > 0 && this.socket.unsentBytes === 0) {
      const batch = this.waiting.shift() as Batch
      this.waitingBytes -= batch.bytes
      this.write(partsOf(batch), batch.releases)
    }
  }

  /** The peer is slow: what waits is copied, and what it pinned is free. Returns the bytes; about `most` at once. */
  copyOut(most: number): number {
    let copied = 0
    for (const batch of this.waiting) {
      if (batch.own) continue
      if (copied >= most) break
      batch.own = true
      batch.parts = [Buffer.concat(batch.parts, batch.bytes)]
      run(batch.releases)
      batch.releases = []
      copied += batch.bytes
    }
    return copied
  }

  /** All of it to the socket: the connection ends when it is sent. */
  writeAll(): void {
    for (const batch of this.waiting.splice(0)) {
      this.socket.write(partsOf(batch))
      this.releases.push(...batch.releases)
    }
    this.waitingBytes = 0
  }

  /** The connection is gone. */
  clear(): void {
    run(this.releases)
    this.releases = []
    for (const batch of this.waiting.splice(0)) run(batch.releases)
    this.waitingBytes = 0
  }

  private write(parts: readonly Uint8Array[], releases: (() => void)[]): void {
    if (parts.length > 0) this.socket.write(parts)
    if (this.socket.unsentBytes === 0) run(releases)
    else this.releases = this.releases.length === 0 ? releases : [...this.releases, ...releases]
  }
}

const partsOf = ({ parts, gathered }: Batch): readonly Uint8Array[] =>
  gathered === undefined ? parts : [gathered.bytes.subarray(0, gathered.at)]

function run(releases: readonly (() => void)[]): void {
  for (const release of releases) release()
}
