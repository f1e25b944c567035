import type { FamilyMember } from './family.ts'

/** Where each broker of a family is, a line each. */
export function familyText(members: readonly FamilyMember[]): string {
  const width = Math.max(...members.map(({ brokerName }) => brokerName.length))
  const lines = members.map(member => {
    const { brokerName, listenPort, metricsExporterType, metricsPromExporterPort: metrics } = member
    const { grpcServerPort, dashboardPort, storePathRootDir, storePathCommitLog } = member
    return [
      `  ${brokerName.padEnd(width)}  port ${listenPort}`,
      ...(metricsExporterType === 'PROM' ? [`metrics ${metrics === 0 ? 'any free port' : metrics}`] : []),
      ...(grpcServerPort === 0 ? [] : [`gRPC ${grpcServerPort}`]),
      ...(dashboardPort === 0 ? [] : [`dashboard ${dashboardPort}`]),
      `store ${storePathRootDir}`,
      ...(storePathCommitLog === '' ? [] : [`log ${storePathCommitLog}`]),
    ].join(', ')
  })
  return `${members.length} masters of the family ${members[0]!.brokerName}:\n${lines.join('\n')}\n`
}
