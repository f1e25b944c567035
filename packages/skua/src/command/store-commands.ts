import { type Command, InvalidArgumentError } from 'commander'

const whole = (text: string): number => {
  const value = Number(text)
  if (text === '' || !Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError('a whole number is wanted')
  return value
}
const pair = (text: string, before: Record<string, string> = {}): Record<string, string> => {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('k=v is wanted')
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}

/** `skua store`: looks into a store directory, Java's or ours. None of these writes. */
export function addStoreCommands(skua: Command): void {
  const store = skua.command('store').description('look into a store directory, Java’s or ours, without a broker')
  store
    .command('ls <dir>')
    .description('list the files of the log, the queues and the index')
    .action(async dir => (await import('./store.ts')).listStore(dir))
  store
    .command('cat <dir>')
    .description('print messages in log order')
    .option('--topic <topic>', 'only this topic')
    .option('--queue <id>', 'only this queue', whole)
    .option('--from <offset>', 'from this physical offset on', whole)
    .option('--count <n>', 'end after so many', whole)
    .option('--json', 'one JSON object a line')
    .action(async (dir, { topic, queue, from, count, json }) =>
      (await import('./store.ts')).catStore(dir, { filter: { topic, queueId: queue, from }, count, json }),
    )
  store
    .command('grep <dir>')
    .description('print the messages that match all that is given')
    .option('--key <key>', 'a key, or the unique key')
    .option('--tag <tag>', 'tag')
    .option('--property <k=v>', 'property; may be given several times', pair)
    .option('--body <text>', 'text in the body as it is stored')
    .option('--json', 'one JSON object a line')
    .action(async (dir, { key, tag, property, body, json }) =>
      (await import('./store.ts')).catStore(dir, { filter: { key, tag, properties: property, body }, json }),
    )
  store
    .command('verify <dir>')
    .description('check every CRC, and every queue entry against the log; exit code 1 on findings')
    .action(async dir => (await import('./store.ts')).checkStore(dir))
}
