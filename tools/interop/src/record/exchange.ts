import { type Command, decodeFrame, isResponse } from '@skua-mq/protocol'
import type { FrameLine } from './frame-line.ts'

/** A recorded frame with what it says; a response knows its request, which may stand before the recording's end only. */
export interface Exchange {
  readonly line: FrameLine
  /** Line number in the file, from 1. */
  readonly number: number
  readonly bytes: Buffer
  readonly command: Command
  readonly request: Command | undefined
}

/** Decodes a recording and pairs each response with its request. Throws BadFrame. */
export function exchangesOf(lines: readonly FrameLine[]): Exchange[] {
  const asked = new Map<string, Command>()
  return lines.map((line, index) => {
    const bytes = Buffer.from(line.frame, 'base64')
    const command = decodeFrame(bytes, 0, bytes.length)
    const response = isResponse(command)
    // Each side counts its own requests.
    const asker = response === (line.dir === '<') ? 'client' : 'server'
    const key = `${line.conn} ${asker} ${command.opaque}`
    if (!response) asked.set(key, command)
    return { line, number: index + 1, bytes, command, request: response ? asked.get(key) : undefined }
  })
}
