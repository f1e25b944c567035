import { brokerOptions } from '@skua-mq/broker'
import { describeOptions } from '@skua-mq/runtime'

/** What the dashboard knows of each key of broker.conf: default, whether live, kind, meaning. */
export function settingNotesSource(): string {
  const lines = describeOptions(brokerOptions)
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(one => {
      const help = one.effect === 'none' ? `${one.help} (known to RocketMQ, without effect in Skua)` : one.help
      return `  ${JSON.stringify(one.key)}: ${JSON.stringify([one.default, one.live, one.kind, help])},`
    })
  return `// Written by tools/docs/generate.ts from the table of options: edit that.
/** Of each key of broker.conf: default, whether it may be changed while the broker runs, what the value is, what it means. */
export const settingNotes: Readonly<Record<string, readonly [string, boolean, string, string]>> = {
${lines.join('\n')}
}
`
}
