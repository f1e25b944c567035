import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const chunk = Buffer.alloc(4 * 1024 * 1024)

/**
 * Fills pages of the page cache and gives them back. On a virtual machine the first touch of a page that the host took
 * away costs several microseconds, and whoever writes then pays for it: up to a third of a send, of either broker.
 */
export function warmPages(bytes: number): void {
  const directory = mkdtempSync(join(tmpdir(), 'skua-bench-pages-'))
  const file = openSync(join(directory, 'pages'), 'w')
  for (let written = 0; written < bytes; written += chunk.length) writeSync(file, chunk)
  closeSync(file)
  rmSync(directory, { recursive: true })
}
