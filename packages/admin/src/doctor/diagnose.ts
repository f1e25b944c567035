import { AdminError } from '../error.ts'
import type { AdminSession } from '../session.ts'
import { brokerFindings } from './brokers.ts'
import { type Finding, hint } from './finding.ts'
import { groupFindings } from './groups.ts'
import { type Advertised, advertised, nameServerFindings, nameServerViews } from './name-servers.ts'
import { topicFindings } from './topics.ts'

/** What is wrong with a cluster, and the brokers that were looked at. */
export interface Diagnosed {
  readonly findings: readonly Finding[]
  readonly brokers: readonly Advertised[]
}

/** Looks at name servers, brokers, topics and groups. `watchMs` is how long queues are watched for a standstill. */
export async function diagnose(session: AdminSession, { watchMs }: { readonly watchMs: number }): Promise<Diagnosed> {
  const views = await nameServerViews(session)
  const brokers = advertised(views)
  const findings = [...nameServerFindings(views), ...(await brokerFindings(session, brokers))]
  if (brokers.length > 0) findings.push(...(await inside(session, brokers, watchMs)))
  return { findings, brokers }
}

/** Topics and groups. Where a broker is silent some of them are not known, which is a finding of its own already. */
async function inside(session: AdminSession, brokers: readonly Advertised[], watchMs: number): Promise<Finding[]> {
  const findings: Finding[] = []
  try {
    findings.push(...(await topicFindings(session, brokers)))
    findings.push(...(await groupFindings(session, watchMs)))
  } catch (error) {
    if (!(error instanceof AdminError)) throw error
    const sentence = `not all topics and groups could be looked at (${error.message}): mend the errors above, then ask again`
    findings.push(hint('topics and groups', sentence))
  }
  return findings
}
