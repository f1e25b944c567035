import { getMaxOffset, selfTestTopic } from '@skua-mq/protocol'
import { parseAddress } from '@skua-mq/remoting'
import { brokerFigures, brokerRuntimeInfo } from '../broker.ts'
import { each } from '../each.ts'
import { AdminError } from '../error.ts'
import type { AdminSession } from '../session.ts'
import { type Finding, grave, hint } from './finding.ts'
import type { Advertised } from './name-servers.ts'

/** Shares of the disk: from here on RocketMQ deletes early (diskMaxUsedSpaceRatio), and refuses messages. */
const disk = { early: 0.75, refused: 0.9 }
/** Differences of clocks in ms: brokers tell theirs to the second. */
const skew = { small: 3000, large: 30_000 }

/** All that is found at each broker by itself. */
export async function brokerFindings(session: AdminSession, brokers: readonly Advertised[]): Promise<Finding[]> {
  return (await each(brokers, broker => ofBroker(session, broker))).flat()
}

async function ofBroker(session: AdminSession, broker: Advertised): Promise<Finding[]> {
  const { clock } = session.runtime
  const begun = clock.now()
  let info: Record<string, string>
  try {
    info = await brokerRuntimeInfo(session, broker.address)
  } catch (error) {
    if (!(error instanceof AdminError)) throw error
    return [error.code === 'REFUSED' ? untold(broker, error) : unreachable(broker, error)]
  }
  const halfWayMs = (begun + clock.now()) / 2
  return [
    ...(await secondListener(session, broker)),
    ...diskFindings(broker, brokerFigures(info).diskRatio),
    ...clockFindings(broker, info, halfWayMs),
    ...storeFindings(broker, info),
  ]
}

const unreachable = ({ name, address }: Advertised, error: AdminError): Finding =>
  grave(
    'addresses',
    `broker ${name} tells clients ${address}, which cannot be reached from here (${error.message}): start it, open the port, or set its brokerIP1`,
  )

const untold = ({ name }: Advertised, error: AdminError): Finding =>
  hint('addresses', `broker ${name} answers, but tells nothing of itself: ${error.message}`)

/** Java's clients may send to the port below by two (VIP channel). */
async function secondListener(session: AdminSession, { name, address }: Advertised): Promise<Finding[]> {
  const { host, port } = parseAddress(address)
  const second = `${host.includes(':') ? `[${host}]` : host}:${port - 2}`
  try {
    await session.ask(second, { spec: getMaxOffset, header: { topic: selfTestTopic, queueId: 0 } })
    return []
  } catch (error) {
    if (!(error instanceof AdminError)) throw error
    if (error.code === 'REFUSED') return []
    const sentence = `the second port of broker ${name}, ${second}, cannot be reached: clients with vipChannelEnabled send there; open it as well`
    return [hint('addresses', sentence)]
  }
}

function diskFindings({ name }: Advertised, ratio: number): Finding[] {
  if (!(ratio >= disk.early)) return []
  const full = `the disk of broker ${name} is ${Math.round(ratio * 100)} % full`
  if (ratio >= disk.refused)
    return [grave('disk', `${full}, where brokers refuse messages: make room, or lower fileReservedTime`)]
  return [hint('disk', `${full}, where brokers delete before fileReservedTime: make room, or lower fileReservedTime`)]
}

function clockFindings({ name }: Advertised, info: Readonly<Record<string, string>>, nowMs: number): Finding[] {
  const itsMs = timeOf(info)
  if (itsMs === undefined) return []
  // Half a second is what it does not tell, at the mean.
  const difference = itsMs + 500 - nowMs
  if (Math.abs(difference) < skew.small) return []
  const seconds = Math.round(Math.abs(difference) / 1000)
  const sentence = `the clock of broker ${name} is ${seconds} s ${difference < 0 ? 'behind' : 'before'} this machine's: delays, retention and searches by time go by it; let NTP set both`
  return [Math.abs(difference) >= skew.large ? grave('clocks', sentence) : hint('clocks', sentence)]
}

/** What time it is there: its start, and how long it runs, `[ 0 days, 0 hours, 1 minutes, 5 seconds ]`. */
function timeOf(info: Readonly<Record<string, string>>): number | undefined {
  const begun = Number(info['bootTimestamp'])
  const parts = /(\d+) days, (\d+) hours, (\d+) minutes, (\d+) seconds/.exec(info['runtime'] ?? '')
  if (parts === null || !(begun > 0)) return undefined
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = parts.slice(1).map(Number)
  return begun + (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000
}

/** Skua's brokers tell why they take nothing. */
function storeFindings({ name }: Advertised, info: Readonly<Record<string, string>>): Finding[] {
  const reason = info['storeRefuses']
  return reason === undefined ? [] : [grave('store', `broker ${name} takes no messages: ${reason}`)]
}
