import { AdminError, type AdminSession, each } from '@skua-mq/admin'
import { type ClusterInfo, getBrokerClusterInfo, getBrokerRuntimeInfo, ResponseCode } from '@skua-mq/protocol'
import { oneLine } from '../fail.ts'
import { table } from '../mqadmin/frame/table.ts'
import { personCommand } from './frame.ts'

/** One server, and how long it took to answer. */
export interface Pinged {
  readonly server: string
  readonly address: string
  readonly answers: boolean
  /** From the request to its answer, or to the end of patience. */
  readonly ms: number
  /** Why it does not answer, or why what it answers is not enough. */
  readonly problem?: string
}

/** `skua ping`: asks every name server for its brokers, and every broker for its figures. */
export const ping = personCommand({
  run: async ({ session }): Promise<Pinged[]> => {
    const nameServers = await each(session.nameServers(), address => pingNameServer(session, address))
    const brokers = new Map(nameServers.flatMap(({ brokers }) => brokers.map(broker => [broker.address, broker])))
    const answers = await each([...brokers.values()], broker => pingBroker(session, broker))
    return [
      ...nameServers.map(({ pinged }) => pinged),
      ...answers.map(({ pinged }) => pinged),
      ...missing(
        answers.flatMap(({ family }) => family),
        [...brokers.values()],
      ),
    ]
  },
  show: rows => [
    table(
      [
        { title: 'SERVER', cell: row => row.server },
        { title: 'ADDRESS', cell: row => row.address },
        { title: 'MS', cell: row => row.ms.toFixed(1), right: true },
        { title: 'STATE', cell: row => (row.answers ? 'answers' : 'does not answer') },
      ],
      rows,
    ),
  ],
  problems: rows => rows.flatMap(({ problem }) => (problem === undefined ? [] : [problem])),
})

/** Brokers that were started beside others, and that no name server knows at the moment. */
const missing = (family: readonly string[], brokers: readonly Named[]): Pinged[] =>
  [...new Set(family)]
    .filter(name => !brokers.some(({ brokerName }) => brokerName === name))
    .map(name => ({
      ...{ server: `broker ${name}`, address: '-', answers: false, ms: 0 },
      problem: `broker ${name}: no name server knows it, and it was started beside the others of its family: see their log`,
    }))

interface Named {
  readonly server: string
  /** Of brokers. */
  readonly brokerName?: string
  readonly address: string
}

async function pingNameServer(session: AdminSession, address: string) {
  let brokers: Named[] = []
  const pinged = await timed(session, { server: 'name server', address }, async () => {
    brokers = brokersIn(await session.read(address, { spec: getBrokerClusterInfo }))
    if (brokers.length > 0) return undefined
    return `the name server ${address} knows no broker: start one with -n ${address}, or wait for it to register`
  })
  return { pinged, brokers }
}

async function pingBroker(
  session: AdminSession,
  broker: Named,
): Promise<{ readonly pinged: Pinged; readonly family: readonly string[] }> {
  let family: readonly string[] = []
  const pinged = await timed(session, broker, async () => {
    try {
      const { table } = await session.read(broker.address, { spec: getBrokerRuntimeInfo })
      family = table.get('familyBrokers')?.split(',') ?? []
    } catch (error) {
      // A broker that wants an account runs.
      if (!isAccessRefusal(error)) throw error
    }
    return undefined
  })
  return { pinged, family }
}

const isAccessRefusal = (error: unknown): boolean =>
  error instanceof AdminError &&
  error.code === 'REFUSED' &&
  (error.responseCode === ResponseCode.noPermission || (error.remark ?? '').includes('AclException'))

async function timed(
  session: AdminSession,
  { server, address }: Named,
  ask: () => Promise<string | undefined>,
): Promise<Pinged> {
  const { clock } = session.runtime
  const begun = clock.monotonic()
  const passed = () => Math.round((clock.monotonic() - begun) * 10) / 10
  try {
    const problem = await ask()
    return { server, address, answers: true, ms: passed(), ...(problem === undefined ? {} : { problem }) }
  } catch (error) {
    return { server, address, answers: false, ms: passed(), problem: `${server} ${address}: ${oneLine(error)}` }
  }
}

function brokersIn({ brokerAddrTable }: ClusterInfo): Named[] {
  return [...brokerAddrTable].flatMap(([name, { brokerAddrs }]) =>
    [...brokerAddrs].map(([id, address]) => ({
      server: id === 0 ? `broker ${name}` : `slave ${name}:${id}`,
      ...{ brokerName: name, address },
    })),
  )
}
