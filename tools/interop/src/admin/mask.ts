import type { Printed } from './run.ts'

/** What differs from run to run, and what stands for it. The order counts. */
const masks: readonly (readonly [RegExp, string])[] = [
  [/\/?(?:127\.0\.0\.1|192\.\d+\.\d+\.\d+|10\.\d+\.\d+\.\d+|172\.\d+\.\d+\.\d+):\d+/g, '<addr>'],
  [/\b(?:\d+\.){3}\d+@[\d#A-Za-z]+/g, '<client>'],
  // The members say their own language: those of the recordings said JAVA.
  [/\b(?:JAVA|OTHER)(?= {1,20}V\d_|, version=)/g, '<language>'],
  [/\b\d{4}-\d\d-\d\d[ #]\d\d:\d\d:\d\d(?:[.,:]\d+)?/g, '<time>'],
  [/\b[0-9A-Fa-f]{32,60}\b/g, '<id>'],
  [/\/tmp\/[^\s/]+/g, '<dir>'],
  [/\/memory\b/g, '<dir>'],
  // Remarks are each server's own words, the code is not.
  [/CODE: (\d+) {1,2}DESC: .*$/gm, 'CODE: $1'],
  [/(physicOffset|physicSize|storeSize|commitLogOffset|spentTimeMills|rt)=\d+/g, '$1=#'],
  [/^(CommitLog Offset:|Consume TPS:|Avg RT:) .*$/gm, '$1 #'],
  [/( OK, )[1-9]\d*$/gm, '$1#'],
  [/-?\d+\.\d+(?:E-?\d+)?/g, '#'],
  [/\b\d+ms\b/g, '#ms'],
  [/-?\b\d{5,}\b/g, '#'],
]

/** Commands in which further numbers are measured. */
const measured: readonly (readonly [RegExp, (line: string) => string])[] = [
  [/^(checkMsgSendRT)/, line => line.replace(/ (true|false) \d+$/, ' $1 #')],
  [/^clusterRT/, line => line.replace(/^(\S+ \S+) # (\d+) (\d+)$/, '$1 # $2 $3')],
  // Which queue comes first is chance.
  [/^sendMessage -t Made -p hello -k/, line => line.replace(/^(broker-a) \d+ /, '$1 # ')],
  [/^brokerStatus/, line => line.replace(/ ?: .*$| ?:$/, '').replace(/_<dir>\S*$/, '_<dir>')],
  [/^haStatus/, line => line.replace(/^(#MasterCommitLogMaxOffset) \d+$/, '$1 #')],
  [/^consumerStatus/, line => line.replace(/^(PROP_\w+ : ).*$/, '$1#')],
]

/** What a command line printed as lines that are the same in every run, sorted: rows of hash tables come in any order. */
export function maskedLines({ line, output, errors }: Printed): string[] {
  const command = line.slice(line.indexOf(': ') + 2)
  let text = output
  for (const [what, stands] of masks) text = text.replaceAll(what, stands)
  const more = measured.filter(([of]) => of.test(command)).map(([, mask]) => mask)
  const lines = text
    .split(/\r?\n/)
    .map(each => each.trim().replaceAll(/\s+/g, ' '))
    .filter(each => each !== '')
    .map(each => more.reduce((masked, mask) => mask(masked), each))
  const all = [...lines, ...refusalsOf(errors)].sort()
  // How many rounds it makes until it is interrupted is chance.
  return command.startsWith('clusterRT') ? [...new Set(all)] : all
}

/** Of a stack trace the codes of the servers, or the last cause. */
function refusalsOf(errors: string): string[] {
  if (errors.trim() === '') return []
  const codes = [...errors.matchAll(/CODE: (\d+)/g)].map(([, code]) => `! code ${code}`)
  if (codes.length > 0) return codes
  const cause = [...errors.matchAll(/^(?:Caused by: )?([\w.]+(?:Exception|Error))\b/gm)].at(-1)?.[1]
  return [`! ${cause ?? errors.trim().split('\n')[0]}`]
}
