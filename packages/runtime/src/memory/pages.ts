/** Unit in which memory is taken; small enough for a sparse index file, large enough to keep the map short. */
export const pageBytes = 64 * 1024

/**
 * The bytes of one file, sparse: a page exists once something was written into it, everything else reads as zeros, so
 * growing a file to a segment's size costs nothing.
 */
export class Pages {
  size = 0
  private readonly pages = new Map<number, Uint8Array>()

  get allocatedBytes(): number {
    return this.pages.size * pageBytes
  }

  /** Bytes that a write of this range would newly allocate. */
  needed(position: number, length: number): number {
    if (length === 0) return 0
    let missing = 0
    const last = Math.floor((position + length - 1) / pageBytes)
    for (let page = Math.floor(position / pageBytes); page <= last; page++) if (!this.pages.has(page)) missing++
    return missing * pageBytes
  }

  write(bytes: Uint8Array, position: number): void {
    let done = 0
    while (done < bytes.length) {
      const at = position + done
      const within = at % pageBytes
      const count = Math.min(bytes.length - done, pageBytes - within)
      this.page(Math.floor(at / pageBytes)).set(bytes.subarray(done, done + count), within)
      done += count
    }
    if (bytes.length > 0) this.size = Math.max(this.size, position + bytes.length)
  }

  /** Fills `into` from `position`; returns how many bytes there were before the end of the file. */
  read(into: Uint8Array, position: number): number {
    const wanted = Math.max(0, Math.min(into.length, this.size - position))
    let done = 0
    while (done < wanted) {
      const at = position + done
      const within = at % pageBytes
      const count = Math.min(wanted - done, pageBytes - within)
      const page = this.pages.get(Math.floor(at / pageBytes))
      if (page) into.set(page.subarray(within, within + count), done)
      else into.fill(0, done, done + count)
      done += count
    }
    return wanted
  }

  /** Pages past the new end are released; a file that grows again reads zeros there. */
  truncate(size: number): void {
    if (size < this.size) {
      const within = size % pageBytes
      const kept = Math.ceil(size / pageBytes)
      for (const page of this.pages.keys()) if (page >= kept) this.pages.delete(page)
      if (within > 0) this.pages.get(kept - 1)?.fill(0, within)
    }
    this.size = size
  }

  clone(): Pages {
    const copy = new Pages()
    copy.size = this.size
    for (const [number, page] of this.pages) copy.pages.set(number, page.slice())
    return copy
  }

  private page(number: number): Uint8Array {
    let page = this.pages.get(number)
    if (!page) {
      page = new Uint8Array(pageBytes)
      this.pages.set(number, page)
    }
    return page
  }
}
