import type { GrpcClient } from '../clients/client.ts'
import type { Brokers } from '../remote/brokers.ts'

/** Tells all masters of a client's topics that it is there. Topics that are not there are left out. Throws NetError. */
export async function tellBrokers(client: GrpcClient, brokers: Brokers): Promise<void> {
  const addresses = new Set<string>()
  for (const topic of client.topics)
    for (const address of (await brokers.masters(topic).catch(() => new Map<string, string>())).values())
      addresses.add(address)
  await client.membership.beat(addresses)
}
