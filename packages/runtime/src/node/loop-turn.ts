/**
 * Resolves in the next turn of the event loop. The queue of microtasks is empty then, so that every promise that could settle
 * has settled.
 */
export function loopTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
