import { getBrokerClusterInfo, getPendingTransactions, type PendingTransaction } from '@skua-mq/protocol'
import { RemotingClient } from '@skua-mq/remoting'
import { Failure, nodeRuntime } from '@skua-mq/runtime'
import { print } from './store.ts'

export interface TxList {
  readonly namesrvAddr: string
  readonly limit: number
  readonly json?: boolean
}

/** `skua tx list`: undecided transactions of every master that the name server knows, oldest first. */
export async function listTransactions(command: TxList): Promise<void> {
  const runtime = nodeRuntime()
  const client = new RemotingClient(runtime)
  try {
    let count = 0
    for (const { name, address } of await masters(client, command.namesrvAddr)) {
      const reply = await client.request(address, getPendingTransactions, { limit: command.limit })
      if (reply.code !== 0 || reply.body === undefined)
        throw new Failure('EREFUSED', `${name} at ${address} answers code ${reply.code}: ${reply.remark ?? ''}`)
      for (const transaction of getPendingTransactions.replyBody!.decode(reply.body).transactions) {
        count++
        const broker = { brokerName: name, ...transaction }
        await print(command.json ? JSON.stringify(broker) : line(name, transaction, runtime.clock.now()))
      }
    }
    if (count === 0 && !command.json) await print('no transaction is pending')
  } finally {
    await client.close()
  }
}

async function masters(client: RemotingClient, namesrvAddr: string): Promise<{ name: string; address: string }[]> {
  const reply = await client.request(namesrvAddr, getBrokerClusterInfo, {})
  const { brokerAddrTable } = getBrokerClusterInfo.replyBody!.decode(reply.body!)
  const found = [...brokerAddrTable].map(([name, { brokerAddrs }]) => ({ name, address: brokerAddrs.get(0) ?? '' }))
  return found.filter(({ address }) => address !== '').sort((a, b) => (a.name < b.name ? -1 : 1))
}

function line(broker: string, transaction: PendingTransaction, nowMs: number): string {
  const { producerGroup, topic, msgId, bornAtMs, checks, nextCheckAtMs } = transaction
  const seconds = (ms: number) => Math.round(ms / 1000)
  const next = nextCheckAtMs <= nowMs ? 'now' : `in ${seconds(nextCheckAtMs - nowMs)} s`
  return `${broker} ${msgId} ${topic} of ${producerGroup}: ${seconds(nowMs - bornAtMs)} s old, asked ${checks} times, next check ${next}`
}
