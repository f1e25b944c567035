import type { Address } from '@skua-mq/runtime'
import type { Asking } from './gate.ts'

/** Asked before a connection is taken, and told of those that were, until they end. Never asked for a request. */
export interface Door {
  /** False closes it at once. Whoever answers so tells why, and not each time. */
  admits(remote: Address): boolean
  /** The same object as a gate is given later. */
  entered(asking: Asking): void
  left(asking: Asking): void
}
