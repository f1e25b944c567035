import type { Recording } from './record.ts'

/** Lines of a command that only one side printed. */
export interface LineDifference {
  readonly line: string
  /** `-`: the real server's; `+`: ours. */
  readonly text: string
}

/** Lines as often as they stand in one list and not in the other. */
function without(lines: readonly string[], others: readonly string[]): string[] {
  const left = [...others]
  return lines.filter(line => {
    const at = left.indexOf(line)
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
}

/** What differs between a recording and what was printed here. A command that is in one of them only is a difference, too. */
export function differences(recorded: Recording, here: Recording): LineDifference[] {
  const names = [...new Set([...Object.keys(recorded), ...Object.keys(here)])]
  return names.flatMap(line => {
    const [theirs, ours] = [recorded[line] ?? ['(not recorded)'], here[line] ?? ['(not run)']]
    return [
      ...without(theirs, ours).map(text => ({ line, text: `- ${text}` })),
      ...without(ours, theirs).map(text => ({ line, text: `+ ${text}` })),
    ]
  })
}
