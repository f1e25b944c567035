import { channel } from 'node:diagnostics_channel'
import { join } from 'node:path'
import { type Disk, EventHub, type EventLevel, eventLevels, nodeRuntime } from '@skua-mq/runtime'
import { jsonLine, textLine } from './line.ts'
import { LogFile } from './log-file.ts'

/** What a command line says of logs. */
export interface LogFlags {
  /** Where the file goes; default: standard error takes all. */
  readonly logDir?: string
  /** A JSON object a line. */
  readonly logJson?: boolean
}

/** What the server itself says of its log. */
export interface LogWish extends LogFlags {
  /** In each line, where several brokers of a family write beside each other. */
  readonly broker?: string | undefined
}

export interface Log {
  readonly events: EventHub
  /** Asked for each event: an option may change it while the server runs. */
  level: () => EventLevel
}

/** The higher the more urgent. */
const urgency = (level: EventLevel): number => eventLevels.indexOf(level)

/**
 * Events as lines on standard error, or in a file, and on the process-wide diagnostics channel `skua` with the server's name. A
 * logger of a library would cost a tenth of the start budget for what are a few lines here. With a file, standard
 * error still hears of warnings and errors: who starts a server looks there first.
 */
export function openLog(server: string, file: string, { logDir, logJson, broker }: LogWish = {}): Log {
  const events = new EventHub()
  const { clock, disk } = nodeRuntime()
  const log: Log = { events, level: () => 'info' }
  const published = channel('skua')
  const lineOf = logJson ? jsonLine : textLine
  const logFile = logDir === undefined ? undefined : openFile(join(logDir, file), disk)
  events.subscribe(event => {
    if (published.hasSubscribers) published.publish({ server, ...event })
    if (urgency(event.level) < urgency(log.level())) return
    const line = lineOf(event, clock.now(), broker)
    logFile?.write(line)
    if (logFile === undefined || urgency(event.level) >= urgency('warn')) process.stderr.write(`${line}\n`)
  })
  return log
}

/** A server must not fail to start for its log. */
function openFile(path: string, disk: Disk): LogFile | undefined {
  try {
    const file = new LogFile(path, disk)
    process.once('exit', () => file.writeRest())
    return file
  } catch (error) {
    process.stderr.write(`skua: no log file: ${(error as Error).message}; all lines go to standard error\n`)
    return undefined
  }
}
