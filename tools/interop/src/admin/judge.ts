import { defaultDialect } from '@skua-mq/protocol'
import { askedDialect } from '../asked-dialect.ts'
import type { ReferenceVersion } from '../reference/jars.ts'
import { differences, type LineDifference } from './compare.ts'
import { intendedLines, isChanceAt533, isRefusal, isTraceOfTools, layoutReason } from './intended.ts'
import { type Recording, readMqadmin, recordingOf } from './record.ts'
import type { Printed } from './run.ts'
import type { ToolVersion } from './tool.ts'

const commandOf = (line: string): string => line.slice(line.indexOf(': ') + 2)

const isIntended = ({ line, text }: LineDifference): boolean =>
  intendedLines.some(each => each.line.test(commandOf(line)) && each.text.test(text))

/**
 * At whom a tool was recorded whose like ours is: the server of the tool's age, then the other one where ours is in
 * between. The newer tool asks for what 4.9 does not tell; of dialect 5.3 the keys of the configuration are still those of 4.9.
 */
function serversOf(tool: ToolVersion): readonly ReferenceVersion[] {
  const { dialect = defaultDialect } = askedDialect()
  return tool === '5.3.3' || dialect === '5.3' ? ['5.3.3', '4.9.7'] : ['4.9.7']
}

/** Per command the differences that nobody intends, from the recording that is nearest. */
function nearest(tool: ToolVersion, here: Recording, isMeant: (difference: LineDifference) => boolean) {
  const found = serversOf(tool).map(server =>
    differences(readMqadmin(tool, server), here).filter(difference => !isMeant(difference)),
  )
  const [first = [], second] = found
  if (second === undefined) return first
  const wrongInBoth = new Set(second.map(({ line }) => line))
  return first.filter(({ line }) => wrongInBoth.has(line))
}

/** What Apache's tool prints at Skua and at none of the real servers. */
export const surprisesOf = (tool: ToolVersion, printed: readonly Printed[]): LineDifference[] =>
  nearest(tool, recordingOf(printed), isIntended)

/** What ours prints otherwise than Apache's tool of 4.9.8 does, whose columns it has. */
export function surprisesOfOurs(server: ReferenceVersion, printed: readonly Printed[]): LineDifference[] {
  const isMeant = (difference: LineDifference) =>
    layoutReason(difference.line) !== undefined ||
    isRefusal(difference.text) ||
    isTraceOfTools(difference.text) ||
    isIntended(difference)
  const recorded = readMqadmin('4.9.8', server)
  return differences(recorded, recordingOf(printed)).filter(
    difference => !isMeant(difference) && !(server === '5.3.3' && isChanceAt533(difference.line, difference.text)),
  )
}
