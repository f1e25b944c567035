import { type Command, type HeaderScan, ResponseCode } from '@skua-mq/protocol'
import type { Address } from '@skua-mq/runtime'
import type { Account, Accounts } from './account.ts'
import type { Connection } from './connection.ts'
import type { RemotingLimits } from './limits.ts'
import { type Refusal, refuse } from './reply.ts'

/** Who asks, as far as a gate looks. */
export interface Asking {
  readonly account: Account
  /** Where it asks from. */
  readonly remote: Address
}

/** Asked before anything is done for a request, hot or not: why it is not let in, or undefined. */
export type Gate = (head: { readonly code: number }, asking: Asking) => Refusal | undefined

/** A gate with nothing to refuse most of the time: while it is off it is not asked, and requests cost nothing by it. */
export interface SwitchedGate {
  readonly isOn: boolean
  readonly admit: Gate
  /** Runs whenever `isOn` has changed. */
  onSwitch(run: () => void): void
}

/**
 * Asked where all fields of a request count, and its body: a signature is over them. What it looks at is decoded, hot or
 * not; the others go their fast way past it.
 */
export interface FullGate {
  /** Whether it looks at what this connection asks. Asked for each request. */
  guards(connection: Connection): boolean
  /** Called before anything is done. The body is only valid until it returns. */
  admit(command: Command, connection: Connection): Refusal | undefined
  /**
   * Whether a hot request is let in as it stands in the read buffer. One that is not is decoded, and `admit` decides: there
   * are headers that only the decoder understands, and refusals need not be quick.
   */
  lets?(scan: HeaderScan, connection: Connection): boolean
}

/**
 * Requests of all connections that run are bounded. A connection that has no more than its share of them is never refused
 * for what others do.
 */
export function overloadGate(
  limits: Pick<RemotingLimits, 'maxPendingRequests'>,
  accounts: Accounts,
  connections: () => number,
): Gate {
  const limit = limits.maxPendingRequests
  return (_head, { account }) => {
    if (accounts.running < limit || account.running * Math.max(1, connections()) < limit) return undefined
    return refuse(
      ResponseCode.systemBusy,
      `[OVERLOAD]maxPendingRequests (${limit}) requests are being worked on, ${account.running} of them for this connection`,
    )
  }
}

/** All gates that are on, as one; made anew when one is switched. */
export class Admission {
  admit: Gate

  constructor(first: Gate, others: readonly (Gate | SwitchedGate)[]) {
    const inForce = () => gates([first, ...others.flatMap(gateInForce)])
    this.admit = inForce()
    for (const gate of others) {
      if (typeof gate === 'function') continue
      gate.onSwitch(() => {
        this.admit = inForce()
      })
    }
  }
}

const gateInForce = (gate: Gate | SwitchedGate): Gate[] =>
  typeof gate === 'function' ? [gate] : gate.isOn ? [gate.admit] : []

/** The refusal of the first one that refuses. */
function gates(all: readonly Gate[]): Gate {
  const [first, ...rest] = all
  if (first !== undefined && rest.length === 0) return first
  return (head, asking) => {
    for (const gate of all) {
      const refusal = gate(head, asking)
      if (refusal !== undefined) return refusal
    }
    return undefined
  }
}
