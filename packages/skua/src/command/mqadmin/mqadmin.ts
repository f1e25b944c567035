import { AdminError, type AdminSession, connect } from '@skua-mq/admin'
import { oneLine } from '../fail.ts'
import { tlsOf } from '../tls-flags.ts'
import { accessOf } from './frame/access.ts'
import { type Arguments, helpOf, type Named, parseArguments, UsageError, usageExitCode } from './frame/arguments.ts'
import { jsonText } from './frame/json.ts'
import type { AnyContext, AnySubcommand } from './frame/subcommand.ts'
import { type Block, table } from './frame/table.ts'
import { processTerminal, type Terminal } from './frame/terminal.ts'
import { whyLeftOut } from './left-out.ts'
import { listPage, unknownSubcommand } from './list-page.ts'
import { findEntry } from './subcommands.ts'

/** What `mqadmin` is given from outside. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Default: standard output and standard error. */
  readonly terminal?: Terminal
}

/**
 * `mqadmin`: Apache's operator commands by their names and flags. Answers the exit code: 0 done, 1 not done, 2 the
 * command line is wrong (Apache's ends with 0 whatever happened).
 */
export async function runMqadmin(
  args: readonly string[],
  { env, terminal = processTerminal }: Surroundings,
): Promise<number> {
  const run = new Run(env, terminal)
  try {
    return await run.start(args)
  } catch (error) {
    if (error instanceof UsageError) {
      if (error.exitCode !== 0) terminal.error(`See mqadmin help ${args[0]}\n`)
      return error.exitCode
    }
    terminal.error(`mqadmin ${args[0] ?? ''}: ${oneLine(error)}\n`)
    return error instanceof AdminError && error.code === 'ARGUMENT' ? usageExitCode : 1
  }
}

/** One command line, from its words to what is printed. */
class Run {
  private readonly env: Surroundings['env']
  private readonly terminal: Terminal

  constructor(env: Surroundings['env'], terminal: Terminal) {
    this.env = env
    this.terminal = terminal
  }

  async start([first, ...rest]: readonly string[]): Promise<number> {
    if (first === undefined || first === '-h' || first === '--help') return this.say(listPage())
    if (first === 'help') return this.help(rest[0])
    const named = await load(first)
    return named === undefined ? this.refuse(first) : this.runNamed(named, rest)
  }

  private async help(name: string | undefined): Promise<number> {
    if (name === undefined) return this.say(listPage())
    const named = await load(name)
    return named === undefined ? this.refuse(name) : this.say(helpOf(named).trimEnd())
  }

  /** A name that is unknown here, or left out for a reason. */
  private refuse(name: string): number {
    const reason = whyLeftOut(name)
    const text = reason === undefined ? unknownSubcommand(name) : `${name} is not there: ${reason}`
    this.terminal.error(`mqadmin: ${text}\n`)
    return usageExitCode
  }

  private async runNamed(named: Named, args: readonly string[]): Promise<number> {
    const given = parseArguments(named, args, this.terminal)
    const session = await this.open(given)
    try {
      return await this.carryOut(named.subcommand, { session, flags: given.values }, given.common.json === true)
    } finally {
      await session.close()
    }
  }

  private async open({ common }: Arguments): Promise<AdminSession> {
    const { env } = this
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

  private async carryOut(command: AnySubcommand, context: AnyContext, isJson: boolean): Promise<number> {
    if ('stream' in command) {
      for await (const item of command.stream(context))
        if (!context.session.dryRun)
          await (isJson ? this.say(jsonText(item, 0)) : this.show(command.show(item, context)))
      return context.session.dryRun ? this.plan(context.session, isJson) : 0
    }
    const result = await command.run(context)
    if (context.session.dryRun) return this.plan(context.session, isJson)
    await (isJson ? this.say(jsonText(result)) : this.show(command.show(result, context)))
    return command.exitCode?.(result) ?? 0
  }

  /** What a dry run would have sent. */
  private plan({ planned }: AdminSession, isJson: boolean): Promise<number> {
    if (isJson) return this.say(jsonText({ dryRun: true, planned }))
    return this.show([planTable(planned)])
  }

  private async show(blocks: readonly Block[]): Promise<number> {
    for (const { lines } of blocks) for (const line of lines) await this.terminal.out(`${line}\n`)
    return 0
  }

  private async say(text: string): Promise<number> {
    await this.terminal.out(`${text}\n`)
    return 0
  }
}

async function load(name: string): Promise<Named | undefined> {
  const entry = findEntry(name)
  if (entry === undefined) return undefined
  return { name: entry.name, description: entry.description, subcommand: await entry.load() }
}

const planTable = (planned: AdminSession['planned']): Block =>
  table(
    [
      { title: '#Address', cell: change => change.address },
      { title: '#Request', cell: change => change.request },
      { title: '#Header', cell: change => jsonText(change.header, 0) },
      { title: '#Body', cell: change => (change.body === undefined ? '' : jsonText(change.body, 0)) },
    ],
    planned,
  )
