import { type Command, InvalidArgumentError } from 'commander'
import { pair } from './pair.ts'

const whole = (text: string): number => {
  const value = Number(text)
  if (text === '' || !Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError('a whole number is wanted')
  return value
}

/** `skua store`: works on a store directory, Java's or ours, that no broker has open. Only repair and import write. */
export function addStoreCommands(skua: Command): void {
  const store = skua
    .command('store')
    .description('look into, repair, export or fill a store directory, Java’s or ours, without a broker')
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
    .description('compare log, queues, index and checkpoint with each other; exit code 1 on findings')
    .action(async dir => (await import('./store.ts')).checkStore(dir))
  const config = [
    '-c, --config-file <file>',
    'broker.conf with what the files do not tell (messageDelayLevel)',
  ] as const
  store
    .command('repair <dir>')
    .description('cut a torn tail and rebuild queues and index from the log; keeps what it takes away')
    .option('--dry-run', 'only say what would be done')
    .option(...config)
    .action(async (dir, options) => (await import('./store-write.ts')).repair(dir, options))
  store
    .command('export <dir>')
    .description('write every message as a line of JSON, in log order')
    .option('--jsonl', 'the only form; taken for clarity')
    .option('--out <file>', 'a new file; default: standard output')
    .action(async (dir, options) => (await import('./store-write.ts')).exportStore(dir, options))
  store
    .command('import <dir> <file>')
    .description('append the messages of an export (- for standard input); makes the store if need be')
    .option(...config)
    .action(async (dir, file, options) => (await import('./store-write.ts')).importStore(dir, file, options))
}
