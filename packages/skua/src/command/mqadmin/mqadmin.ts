import { AdminError, type AdminSession, connect } from '@skua-mq/admin'
import { oneLine } from '../fail.ts'
import { tlsOf } from '../tls-flags.ts'
import { accessOf } from './frame/access.ts'
import { type Arguments, helpOf, type Named, parseArguments, UsageError, usageExitCode } from './frame/arguments.ts'
import { jsonText } from './frame/json.ts'
import { print } from './frame/print.ts'
import type { AnyContext, AnySubcommand } from './frame/subcommand.ts'
import { type Block, table } from './frame/table.ts'
import { leftOut } from './left-out.ts'
import { listPage, unknownSubcommand } from './list-page.ts'
import { findEntry } from './subcommands.ts'

/** What the environment says to `mqadmin`. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * `mqadmin`: Apache's operator commands by their names and flags. Answers the exit code: 0 done, 1 not done, 2 the
 * command line is wrong (Apache's ends with 0 whatever happened).
 */
export async function runMqadmin(args: readonly string[], env: Environment): Promise<number> {
  try {
    const [first, ...rest] = args
    if (first === undefined || first === '-h' || first === '--help') return await say(listPage())
    if (first === 'help') return await help(rest[0])
    return await runNamed(first, rest, env)
  } catch (error) {
    if (error instanceof UsageError) {
      if (error.exitCode !== 0) process.stderr.write(`See mqadmin help ${args[0]}\n`)
      return error.exitCode
    }
    process.stderr.write(`mqadmin ${args[0] ?? ''}: ${oneLine(error)}\n`)
    return error instanceof AdminError && error.code === 'ARGUMENT' ? usageExitCode : 1
  }
}

async function say(text: string): Promise<number> {
  await print(text)
  return 0
}

async function help(name: string | undefined): Promise<number> {
  if (name === undefined) return say(listPage())
  const named = await load(name)
  return named === undefined ? refuse(name) : say(helpOf(named).trimEnd())
}

/** A name that is unknown here, or left out for a reason. */
function refuse(name: string): number {
  const reason = leftOut.get(name.toLowerCase())
  process.stderr.write(
    `mqadmin: ${reason === undefined ? unknownSubcommand(name) : `${name} is not there: ${reason}`}\n`,
  )
  return usageExitCode
}

async function load(name: string): Promise<Named | undefined> {
  const entry = findEntry(name)
  if (entry === undefined) return undefined
  return { name: entry.name, description: entry.description, subcommand: await entry.load() }
}

async function runNamed(name: string, args: readonly string[], env: Environment): Promise<number> {
  const named = await load(name)
  if (named === undefined) return refuse(name)
  const given = parseArguments(named, args)
  const session = await open(given, env)
  try {
    return await carryOut(named.subcommand, { session, flags: given.values }, given.common.json === true)
  } finally {
    await session.close()
  }
}

async function open({ common }: Arguments, env: Environment): Promise<AdminSession> {
  const access = await accessOf(common, {
    accessKey: env['SKUA_ACCESS_KEY'],
    secretKey: env['SKUA_SECRET_KEY'],
    rocketmqHome: env['ROCKETMQ_HOME'],
  })
  return connect({
    namesrvAddr: common.namesrvAddr ?? env['NAMESRV_ADDR'],
    tls: tlsOf(common),
    timeoutMs: common.timeout,
    dryRun: common.dryRun,
    ...access,
  })
}

async function carryOut(command: AnySubcommand, context: AnyContext, isJson: boolean): Promise<number> {
  const { session } = context
  if ('stream' in command) {
    for await (const item of command.stream(context))
      await (isJson ? print(jsonText(item, 0)) : printBlocks(command.show(item, context)))
    return 0
  }
  const result = await command.run(context)
  if (session.dryRun) {
    await (isJson ? print(jsonText({ dryRun: true, planned: session.planned })) : printBlocks([plannedTable(session)]))
    return 0
  }
  await (isJson ? print(jsonText(result)) : printBlocks(command.show(result, context)))
  return command.exitCode?.(result) ?? 0
}

async function printBlocks(blocks: readonly Block[]): Promise<void> {
  for (const { lines } of blocks) for (const line of lines) await print(line)
}

const plannedTable = ({ planned }: AdminSession): Block =>
  table(
    [
      { title: '#Address', cell: change => change.address },
      { title: '#Request', cell: change => change.request },
      { title: '#Header', cell: change => jsonText(change.header, 0) },
      { title: '#Body', cell: change => (change.body === undefined ? '' : jsonText(change.body, 0)) },
    ],
    planned,
  )
