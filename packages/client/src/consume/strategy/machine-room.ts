import type { MessageQueue } from '@skua-mq/protocol'
import { compareText } from '../../queue.ts'
import type { AllocateStrategy } from './strategy.ts'

/** Only queues of brokers called `room@name` with one of these rooms; blocks, then what remains one each from the end. */
export function byMachineRoom(rooms: Iterable<string>): AllocateStrategy {
  const wanted = new Set(rooms)
  return {
    name: 'MACHINE_ROOM',
    allocate: ({ queues, clientIds, clientId }) => {
      const index = clientIds.indexOf(clientId)
      if (index < 0) return []
      const own = queues.filter(({ brokerName }) => {
        const parts = brokerName.split('@')
        return parts.length === 2 && wanted.has(parts[0]!)
      })
      const base = Math.floor(own.length / clientIds.length)
      const block = own.slice(index * base, (index + 1) * base)
      if (own.length % clientIds.length > index) block.push(own[base * clientIds.length + index]!)
      return block
    },
  }
}

/** Tells in which machine room something stands; an empty name means that it is not known, which is an error. */
export interface MachineRoomResolver {
  brokerDeployIn(queue: MessageQueue): string
  consumerDeployIn(clientId: string): string
}

/**
 * Queues of our room go to the members of our room by the inner strategy; queues of rooms without members are
 * shared by all.
 */
export function machineRoomNearby(inner: AllocateStrategy, resolver: MachineRoomResolver): AllocateStrategy {
  return {
    name: `MACHINE_ROOM_NEARBY-${inner.name}`,
    allocate: input => {
      if (!input.clientIds.includes(input.clientId)) return []
      const queues = grouped(input.queues, queue => roomOf(resolver.brokerDeployIn(queue), queue.brokerName))
      const clients = grouped(input.clientIds, id => roomOf(resolver.consumerDeployIn(id), id))
      const room = resolver.consumerDeployIn(input.clientId)
      const near = queues.get(room)
      const own = near === undefined ? [] : inner.allocate({ ...input, queues: near, clientIds: clients.get(room)! })
      const shared = [...queues]
        .filter(([name]) => !clients.has(name))
        .sort(([a], [b]) => compareText(a, b))
        .flatMap(([, lonely]) => inner.allocate({ ...input, queues: lonely }))
      return [...own, ...shared]
    },
  }
}

function roomOf(room: string, what: string): string {
  if (room === '') throw new Error(`no machine room is known for ${what}`)
  return room
}

function grouped<T>(items: readonly T[], nameOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const name = nameOf(item)
    const group = groups.get(name)
    if (group === undefined) groups.set(name, [item])
    else group.push(item)
  }
  return groups
}
