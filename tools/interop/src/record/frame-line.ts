import { readFileSync, writeFileSync } from 'node:fs'

/** One frame of a recording: a line of JSON in its file. */
export interface FrameLine {
  /** '>' is from the client, '<' to it. */
  readonly dir: '>' | '<'
  readonly server: 'namesrv' | 'broker'
  /** Connections of a recording, numbered from 1 in the order in which the client opened them. */
  readonly conn: number
  /** Milliseconds since the recording began. */
  readonly ms: number
  /** The whole frame with its length word, base64. */
  readonly frame: string
}

export function readRecording(path: string): FrameLine[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as FrameLine)
}

export function writeRecording(path: string, lines: readonly FrameLine[]): void {
  writeFileSync(path, lines.map(line => `${JSON.stringify(line)}\n`).join(''))
}
