import { type AdminSession, type ClusterBroker, clusterBrokers, sendTo } from '@skua-mq/admin'
import { delay } from '@skua-mq/runtime'
import { text, truth, whole } from '../frame/flag.ts'
import { type Context, stream } from '../frame/subcommand.ts'
import { lines, table } from '../frame/table.ts'
import { timeText } from '../frame/time-text.ts'

interface Row {
  readonly clusterName: string
  readonly brokerName: string
  /** Mean of all but the first, ms. */
  readonly rt: number
  readonly successCount: number
  readonly failCount: number
}

const flags = {
  amount: whole('a', 'amount', 'messages to each broker (default: 100)'),
  size: whole('s', 'size', 'bytes of each (default: 128)'),
  cluster: text('c', 'cluster', 'only this cluster'),
  printLog: truth('p', 'print-log', 'as lines of a log: time|machine room|cluster|broker|ms'),
  machineRoom: text('m', 'machine-room', 'name for the log (default: noname)'),
  interval: whole('i', 'interval', 'seconds between two rounds; 0 ends after one (default: 10)'),
}

export const clusterRT = stream({
  requests: '106, 310',
  notes: 'Sends to the topic that has each broker’s name, until it is stopped',
  changes: true,
  flags,
  stream: async function* ({ session, flags: given }: Context<typeof flags>) {
    const { amount = 100, size = 128, cluster, interval = 10 } = given
    for (;;) {
      const masters = (await clusterBrokers(session, cluster)).filter(({ brokerId }) => brokerId === 0)
      const rows: Row[] = []
      for (const broker of masters) rows.push(await measure(session, broker, { amount, body: Buffer.alloc(size, 'a') }))
      yield rows
      if (interval === 0 || session.dryRun) return
      await delay(session.runtime.clock, interval * 1000)
    }
  },
  show: (rows, { session, flags: { printLog, machineRoom = 'noname' } }) => {
    const now = timeText(session.runtime.clock.now())
    if (printLog === true)
      return rows.map(row => lines(`${now}|${machineRoom}|${row.clusterName}|${row.brokerName}|${Math.round(row.rt)}`))
    return [
      table(
        [
          { title: '#Cluster Name', cell: row => row.clusterName },
          { title: '#Broker Name', cell: row => row.brokerName },
          { title: '#RT', cell: row => row.rt.toFixed(2), right: true },
          { title: '#successCount', cell: row => row.successCount, right: true },
          { title: '#failCount', cell: row => row.failCount, right: true },
        ],
        rows,
      ),
    ]
  },
})

async function measure(
  session: AdminSession,
  { clusterName, brokerName, address }: ClusterBroker,
  { amount, body }: { readonly amount: number; readonly body: Buffer },
): Promise<Row> {
  const { clock } = session.runtime
  let successCount = 0
  let totalMs = 0
  for (let i = 0; i < amount; i++) {
    const begun = clock.monotonic()
    try {
      await sendTo(session, address, { topic: brokerName, body, brokerName })
      successCount++
    } catch {
      // Counted: what is measured is how often this happens.
    }
    if (i > 0) totalMs += clock.monotonic() - begun
  }
  return {
    clusterName,
    brokerName,
    rt: totalMs / Math.max(1, amount - 1),
    successCount,
    failCount: amount - successCount,
  }
}
