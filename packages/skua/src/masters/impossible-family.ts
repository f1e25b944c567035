import type { BrokerConfig } from '@skua-mq/broker'
import { type FamilyMember, portsOfFamily } from './family.ts'

const lastPort = 65_535

/** What keeps brokers from being a family, and the key to look at first. */
export interface ImpossibleFamily {
  readonly key: keyof BrokerConfig
  readonly remark: string
}

/** The first thing in a family that cannot work; undefined where all can. */
export function impossibleInFamily(
  { haMasterAddress }: Pick<BrokerConfig, 'haMasterAddress'>,
  members: readonly FamilyMember[],
): ImpossibleFamily | undefined {
  if (members.length === 1) return undefined
  if (haMasterAddress !== '') {
    const remark = `haMasterAddress=${haMasterAddress} is the master of one broker, and masters=${members.length}: leave it empty, each finds the master of its name at the name servers`
    return { key: 'haMasterAddress', remark }
  }
  return twoAtOnePort(members)
}

function twoAtOnePort(members: readonly FamilyMember[]): ImpossibleFamily | undefined {
  const taken = new Map<number, string>()
  for (const { port, member, what } of portsOfFamily(members)) {
    const who = `${member.brokerName} for ${what}`
    const rival = taken.get(port)
    const key = what === '/metrics' ? 'metricsPromExporterPort' : 'listenPort'
    if (port > lastPort) {
      const remark = `${key}: with masters=${members.length} port ${port} is that of ${who}, and ${lastPort} is the last one there is`
      return { key, remark }
    }
    if (rival !== undefined) {
      const remark = `${key}: with masters=${members.length} port ${port} is that of ${rival} and of ${who}`
      return { key, remark }
    }
    taken.set(port, who)
  }
  return undefined
}
