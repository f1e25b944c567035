import type { BodyCodec } from './message.ts'
import type { ReceivedMessage } from './received.ts'

/** Makes values of the bodies; gives those that could be read, and tells the others. */
export async function decodeAll<T>(
  messages: readonly ReceivedMessage[],
  codec: BodyCodec<T> | undefined,
  unreadable: (message: ReceivedMessage, error: unknown) => void,
): Promise<ReceivedMessage<T>[]> {
  const read: ReceivedMessage<T>[] = []
  for (const message of messages as readonly ReceivedMessage<unknown>[]) {
    try {
      if (codec !== undefined) message.value = await codec.decode(message.body)
      read.push(message as ReceivedMessage<T>)
    } catch (error) {
      unreadable(message as ReceivedMessage, error)
    }
  }
  return read
}
