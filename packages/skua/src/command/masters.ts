import { availableParallelism } from 'node:os'
import { nodeRuntime, type OptionEntry, OptionError } from '@skua-mq/runtime'
import { type FamilyConfig, type FamilyMember, familyOf } from '../masters/family.ts'
import { familyText } from '../masters/family-text.ts'
import { inherit } from '../masters/heritage.ts'
import { impossibleInFamily } from '../masters/impossible-family.ts'
import { leftBehind, leftBehindRemark } from '../masters/left-behind.ts'
import { MasterGroup } from '../masters/master-group.ts'
import { startMemberProcess } from '../masters/member-process.ts'
import { hasLeft, ownSettingsPath } from '../masters/own-settings.ts'
import type { GrpcOptions } from './grpc.ts'
import { type LogFlags, openLog } from './log/log.ts'
import { untilSignal } from './run.ts'

/** The first broker of a family as it is configured, and where its keys stand. */
export interface FamilyWish {
  readonly config: FamilyConfig & GrpcOptions
  readonly count: number
  /** What stands before a remark about a key. */
  readonly placeOf: (key: string) => string
}

/** The brokers that are wanted. Throws OptionError where they cannot be, or would leave messages behind that nobody serves. */
export function plannedFamily({ config, count, placeOf }: FamilyWish): readonly FamilyMember[] {
  const members = familyOf(config, count)
  const impossible = impossibleInFamily(config, members)
  if (impossible !== undefined) throw new OptionError(impossible.key, `${placeOf(impossible.key)}${impossible.remark}`)
  const behind = leftBehind(nodeRuntime().disk, config, count)
  if (behind.length > 0) throw new OptionError('masters', `${placeOf('masters')}${leftBehindRemark(behind, count)}`)
  return members
}

export interface MastersCommand extends LogFlags {
  readonly configFile?: string
  /** Above the file and the environment. */
  readonly further: readonly OptionEntry[]
}

/** `skua broker --masters N`: starts the brokers of a family, and again those that end; a signal ends all. */
export async function runMasters(
  members: readonly FamilyMember[],
  { command, config }: { readonly command: MastersCommand; readonly config: GrpcOptions },
): Promise<void> {
  const log = openLog('masters', 'masters.log', command)
  log.level = () => config.logLevel
  const { events } = log
  const { clock, disk } = nodeRuntime(events)
  const [first, ...further] = members
  for (const member of further) inherit({ disk, events }, first!, member)
  tellOfFamily(members)
  const group = new MasterGroup(members, {
    ...{ clock, events },
    start: member => startMemberProcess(argumentsOf(member, { command, count: members.length })),
  })
  const start = async () => ({
    lines: await group.start(),
    stop: () => group.stop(),
  })
  const { lines } = await untilSignal(start, { ignoreHangUp: true, onStop: () => group.end() })
  if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n${familyText(members)}`)
}

/** On standard error: what is allowed, and probably not meant. */
function tellOfFamily(members: readonly FamilyMember[]): void {
  const cores = availableParallelism()
  if (members.length > cores)
    process.stderr.write(
      `masters=${members.length}: this process may use ${cores} cores, masters will wait for one another\n`,
    )
  for (const { brokerName, storePathRootDir } of members)
    if (hasLeft(nodeRuntime().disk, storePathRootDir))
      process.stderr.write(
        `${brokerName} has left its cluster (skua broker drain); without ${ownSettingsPath(storePathRootDir)} it joins it again\n`,
      )
}

/** What the process of a broker is started with. */
export function argumentsOf(
  member: FamilyMember,
  { command, count }: { readonly command: MastersCommand; readonly count: number },
): string[] {
  const { configFile, further, logDir, logJson } = command
  const { index, brokerName, listenPort, storePathRootDir, storePathCommitLog } = member
  const { metricsPromExporterPort, grpcServerPort, dashboardPort } = member
  const own = { brokerName, listenPort, storePathRootDir, storePathCommitLog }
  const said = [...further.map(({ key, value }) => [key, value]), ...Object.entries(own)]
  const ports = Object.entries({ metricsPromExporterPort, grpcServerPort, dashboardPort })
  return [
    'broker',
    ...(configFile === undefined ? [] : ['-c', configFile]),
    ...[...said, ...ports].flatMap(([key, value]) => ['--config', `${key}=${value}`]),
    ...(logDir === undefined ? [] : ['--log-dir', logDir]),
    ...(logJson === true ? ['--log-json'] : []),
    ...['--member', `${index}/${count}`],
  ]
}
