import type { DiskFile } from '@skua-mq/runtime'

const blockBytes = 64 * 1024
const pageBytes = 4096
const zeroPage = Buffer.alloc(pageBytes)

/**
 * Writes a file's bytes over themselves. After a failed fdatasync the kernel holds them for clean although they are not
 * on the medium, so that the next one would leave them out; written again they are dirty. Zero pages are left out, since
 * files are sparse. Each block is brought to memory in the pool and read again from there in the turn of its write: somebody may
 * have put newer bytes there meanwhile.
 */
export async function rewrite(file: DiskFile): Promise<void> {
  const bytes = Buffer.allocUnsafe(blockBytes)
  const size = file.size()
  for (let at = 0; at < size; at += blockBytes) {
    const wanted = Math.min(blockBytes, size - at)
    await file.read(bytes, 0, wanted, at)
    const length = file.readSync(bytes, 0, wanted, at)
    for (let page = 0; page < length; page += pageBytes) {
      const end = Math.min(page + pageBytes, length)
      if (bytes.compare(zeroPage, 0, end - page, page, end) !== 0) file.writeSync(bytes, page, end, at + page)
    }
  }
}
