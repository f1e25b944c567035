import type { Codec } from '@skua-mq/protocol'
import { AdminError } from './error.ts'

/** What became of a list of topics or groups. */
export interface TakenList {
  readonly brokers: readonly string[]
  readonly names: readonly string[]
}

/** A file that is the list alone, as the body that has it as its only member. Errors: ARGUMENT. */
export function readList<T extends Readonly<Record<K, readonly unknown[]>>, K extends string>(
  codec: Codec<T>,
  member: K,
  file: Uint8Array,
): T {
  let body: T
  try {
    body = codec.decode(Buffer.concat([Buffer.from(`{"${member}":`), file, Buffer.from('}')]))
  } catch (error) {
    throw new AdminError('ARGUMENT', `the file is no JSON list: ${(error as Error).message}`, { cause: error })
  }
  if (body[member].length === 0) throw new AdminError('ARGUMENT', 'the list in the file is empty')
  return body
}
