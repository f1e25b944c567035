import { execFileSync } from 'node:child_process'
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'

export function machineText(): string {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD']).toString().trim()
  return `${cpus().length} cores (${cpus()[0]?.model.trim()}), Node ${process.version}, commit ${commit}`
}

/** Median ms of an fdatasync of 4 KiB on the disk that holds the stores. */
export function fsyncMs(): number {
  const directory = mkdtempSync(join(tmpdir(), 'skua-bench-sync-'))
  const file = openSync(join(directory, 'file'), 'w')
  const page = Buffer.alloc(4096, 1)
  const times = Array.from({ length: 101 }, () => {
    writeSync(file, page)
    const begun = performance.now()
    fdatasyncSync(file)
    return performance.now() - begun
  })
  closeSync(file)
  rmSync(directory, { recursive: true })
  return times.sort((a, b) => a - b)[50]!
}
