import { demoteBroker, promoteBroker } from '@skua-mq/protocol'
import { delay } from '@skua-mq/runtime'
import { brokerRuntimeInfo } from './broker.ts'
import { type ClusterBroker, clusterBrokers, known } from './cluster.ts'
import { AdminError } from './error.ts'
import type { AdminSession } from './session.ts'

/** A broker in its new role. */
export interface RoleChange extends Pick<ClusterBroker, 'address' | 'brokerName'> {
  /** Where its log ended. */
  readonly logEnd: number
  /** When the last slave that became a master did, as far as it knows; milliseconds since 1970. */
  readonly epoch: number
}

/** What `promote` did. */
export interface Promotion {
  readonly promoted: RoleChange
  /** The former master, a slave now; undefined where there was none that answered. */
  readonly demoted: RoleChange | undefined
}

/** How long a broker may take to begin anew. */
const beginMs = 60_000
const lookMs = 200

/**
 * Makes a slave the master of its name. A master that lives becomes a slave before: it takes no more messages and waits until the
 * slave has all. Errors: REFUSED where messages could be lost that were acknowledged, and not with `force`; NOT_FOUND.
 */
export async function promote(
  session: AdminSession,
  { address, force = false }: { readonly address: string; readonly force?: boolean },
): Promise<Promotion> {
  const brokers = await clusterBrokers(session)
  const slave = brokerAt(brokers, address)
  const master = brokers.find(({ brokerName, brokerId }) => brokerName === slave.brokerName && brokerId === 0)
  if (master?.address === address) throw new AdminError('ARGUMENT', `${address} is the master of its name already`)
  const demoted = master === undefined ? undefined : await demoteLiving(session, master, { brokers, force })
  const takeFrom = demoted?.address
  const header = { force, atLeast: demoted?.logEnd, takeFrom, brokerRole: undefined }
  try {
    const promoted = await changed(session, slave, promoteBroker, header)
    if (promoted.epoch > 0) await hasBegun(session, slave.address, role => role !== 'SLAVE')
    return { promoted, demoted }
  } catch (error) {
    if (demoted !== undefined && master !== undefined) await back(session, master, { demoted, header, error })
    throw error
  }
}

/**
 * Where the slave has refused nobody else is the master, and nothing was written since. One that has not answered may be the
 * master all the same, and take messages: what it says, or that it is silent, is for the former one to judge.
 */
async function back(
  session: AdminSession,
  master: ClusterBroker,
  { demoted, header, error }: { readonly demoted: RoleChange; readonly header: object; readonly error: unknown },
): Promise<void> {
  const force = error instanceof AdminError && error.code === 'REFUSED'
  try {
    const atLeast = force ? demoted.logEnd : undefined
    await changed(session, master, promoteBroker, { ...header, atLeast, takeFrom: undefined, force })
  } catch (second) {
    const text = (failure: unknown) => (failure instanceof Error ? failure.message : String(failure))
    throw new AdminError(
      'NETWORK',
      `${text(error)}. ${master.address} is a slave now, and was not made the master again: ${text(second)}. Look who is the master (skua status), and promote one of them where nobody is`,
      { cause: error },
    )
  }
}

/** Makes a master a slave. Errors as `promote`. */
export async function demote(
  session: AdminSession,
  { address, force = false }: { readonly address: string; readonly force?: boolean },
): Promise<RoleChange> {
  const brokers = await clusterBrokers(session)
  return becomeSlave(session, brokerAt(brokers, address), { brokers, force })
}

function brokerAt(brokers: readonly ClusterBroker[], address: string): ClusterBroker {
  const found = brokers.find(broker => broker.address === address)
  if (found !== undefined) return found
  const addresses = brokers.map(broker => broker.address)
  throw new AdminError('NOT_FOUND', `no broker is registered as ${address}. ${known('brokers', address, addresses)}`)
}

/** One that does not answer is taken for dead: that is what a promotion is for. */
async function demoteLiving(
  session: AdminSession,
  master: ClusterBroker,
  how: { readonly brokers: readonly ClusterBroker[]; readonly force: boolean },
): Promise<RoleChange | undefined> {
  try {
    await brokerRuntimeInfo(session, master.address)
  } catch (error) {
    if (error instanceof AdminError && error.code === 'NETWORK') return undefined
    throw error
  }
  return becomeSlave(session, master, how)
}

/** Its number is one that nobody has: name servers forget a number with the broker that leaves it, whoever has it by then. */
async function becomeSlave(
  session: AdminSession,
  master: ClusterBroker,
  { brokers, force }: { readonly brokers: readonly ClusterBroker[]; readonly force: boolean },
): Promise<RoleChange> {
  const taken = brokers.filter(({ brokerName }) => brokerName === master.brokerName).map(({ brokerId }) => brokerId)
  let brokerId = 1
  while (taken.includes(brokerId)) brokerId++
  const done = await changed(session, master, demoteBroker, { brokerId, waitMs: session.timeoutMs, force })
  await hasBegun(session, master.address, role => role === 'SLAVE')
  return done
}

async function changed(
  session: AdminSession,
  { address, brokerName }: ClusterBroker,
  spec: typeof promoteBroker | typeof demoteBroker,
  header: object,
): Promise<RoleChange> {
  const reply = await session.write(address, { spec, header: header as never, timeoutMs: 3 * session.timeoutMs })
  const { logEnd = 0, epoch = 0 } = (reply?.header ?? {}) as Partial<RoleChange>
  return { address, brokerName, logEnd, epoch }
}

/** It begins anew, and answers nobody meanwhile. */
async function hasBegun(
  session: AdminSession,
  address: string,
  is: (role: string | undefined) => boolean,
): Promise<void> {
  const { clock } = session.runtime
  const until = clock.monotonic() + beginMs
  for (;;) {
    await delay(clock, lookMs)
    try {
      const info = await brokerRuntimeInfo(session, address)
      if (is(info['skuaRole'])) return
    } catch (error) {
      if (!(error instanceof AdminError)) throw error
    }
    if (clock.monotonic() > until)
      throw new AdminError(
        'NETWORK',
        `${address} has not begun in its new role within ${beginMs} ms: look into its log`,
      )
  }
}
