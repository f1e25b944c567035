import { AdminError, type AdminSession } from '@skua-mq/admin'
import { parseAddress } from '@skua-mq/remoting'
import { machineNet } from '@skua-mq/runtime'
import { emptyLine, lines } from '../../mqadmin/frame/table.ts'
import { type Given, personCommand } from '../frame.ts'
import { brokerFindings } from './brokers.ts'
import { type Finding, hint } from './finding.ts'
import { groupFindings } from './groups.ts'
import { measureLinks } from './links.ts'
import { machineFindings, machineReport } from './machine.ts'
import { type Advertised, advertised, nameServerFindings, nameServerViews } from './name-servers.ts'
import { type NetReport, netView } from './net-view.ts'
import { topicFindings } from './topics.ts'

/** What was found; `net` only with `--net`. */
export interface Diagnosis {
  readonly findings: readonly Finding[]
  readonly net?: NetReport
}

interface Options {
  /** Seconds. */
  readonly watch: number
  readonly net?: boolean
}

/** `skua doctor`. */
export const doctor = personCommand({
  run: async ({ session, options }: Given<Options>): Promise<Diagnosis> => {
    const views = await nameServerViews(session)
    const brokers = advertised(views)
    const findings = [...nameServerFindings(views), ...(await brokerFindings(session, brokers))]
    if (brokers.length > 0) findings.push(...(await inside(session, brokers, options.watch)))
    if (options.net !== true) return { findings }
    const net = await netReport(session, brokers)
    return { findings: [...findings, ...machineFindings(net)], net }
  },
  show: ({ findings, net }) => [
    ...(net === undefined ? [] : [...netView(net), emptyLine]),
    lines(
      ...findings.map(({ severity, sentence }) => `${severity}: ${sentence}`),
      ...(findings.length === 0 ? ['nothing is wrong'] : [summary(findings)]),
    ),
  ],
  exitCode: ({ findings }) => (findings.some(({ severity }) => severity === 'error') ? 1 : 0),
})

/** Topics and groups. Where a broker is silent some of them are not known, which is a finding of its own already. */
async function inside(session: AdminSession, brokers: readonly Advertised[], watchSeconds: number): Promise<Finding[]> {
  const findings: Finding[] = []
  try {
    findings.push(...(await topicFindings(session, brokers)))
    findings.push(...(await groupFindings(session, watchSeconds * 1000)))
  } catch (error) {
    if (!(error instanceof AdminError)) throw error
    const sentence = `not all topics and groups could be looked at (${error.message}): mend the errors above, then ask again`
    findings.push(hint('topics and groups', sentence))
  }
  return findings
}

function summary(findings: readonly Finding[]): string {
  const errors = findings.filter(({ severity }) => severity === 'error').length
  return `${errors} errors, ${findings.length - errors} warnings`
}

async function netReport(session: AdminSession, brokers: readonly Advertised[]): Promise<NetReport> {
  const servers = new Map<number, string>(session.nameServers().map(at => [parseAddress(at).port, 'name server']))
  for (const { name, address } of brokers) servers.set(parseAddress(address).port, name)
  const links = await measureLinks(session, brokers)
  return { links, ...(await machineReport(machineNet, session.runtime.clock, servers)) }
}
