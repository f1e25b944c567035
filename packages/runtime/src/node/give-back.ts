import { MessageChannel, type MessagePort } from 'node:worker_threads'

/** Below this the collector is as good, and the call costs more than it saves. */
const leastBytes = 64 * 1024

let closedPort: MessagePort | undefined

function nowhere(): MessagePort {
  if (closedPort === undefined) {
    const { port1, port2 } = new MessageChannel()
    port2.close()
    closedPort = port1
  }
  return closedPort
}

/**
 * Ends the memory of a large buffer now and not when the collector comes by, which may be seconds later: a loop that
 * only reads from sockets hardly makes garbage of the kind that wakes it. The buffer must own its memory
 * (`Buffer.allocUnsafeSlow`) and has no bytes afterwards; neither has any view of it.
 *
 * What is posted to a closed port is taken from the sender and dropped (HTML standard, "message port post message
 * steps"); `ArrayBuffer.prototype.transfer`, which says the same in a word, is not in Node 20.
 */
export function giveBack(bytes: Buffer): void {
  if (bytes.length < leastBytes || bytes.length !== bytes.buffer.byteLength) return
  nowhere().postMessage(null, [bytes.buffer as ArrayBuffer])
}
