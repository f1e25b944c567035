import { DiskError } from '@skua-mq/runtime'

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file (ENOENT)',
  EISDIR: 'it is a directory (EISDIR)',
  EACCES: 'this user may not read it (EACCES)',
}

/** What a person needs of an error, on one line. */
export function oneLine(error: unknown): string {
  if (error instanceof DiskError) return `${error.path}: ${reasons[error.code] ?? error.code}`
  return error instanceof Error ? error.message.replaceAll('\n', ' ') : String(error)
}

/** One line on standard error, exit code 1. Ends the process, also where a listener is still open. */
export function fail(reason: string): never {
  process.stderr.write(`skua: ${reason}\n`)
  process.exit(1)
}
