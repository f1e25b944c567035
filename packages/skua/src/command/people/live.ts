import { jsonText } from '../mqadmin/frame/json.ts'
import type { Block } from '../mqadmin/frame/table.ts'
import { cut } from '../mqadmin/frame/width.ts'
import type { Desk, Given } from './frame.ts'

/** Room that a picture has; undefined where it is printed and may be as long as it is. */
export interface Room {
  readonly columns: number
  readonly rows: number
}

/** A command that shows the same again and again until somebody ends it. */
export interface LiveCommand<O, T> {
  /** Begins with the first picture; ends when the signal is aborted. */
  ticks(given: Given<O>, signal: AbortSignal): AsyncGenerator<T, void, void>
  show(tick: T, room: Room | undefined): readonly Block[]
}

/** Infers the types. */
export const liveCommand = <O, T>(command: LiveCommand<O, T>): LiveCommand<O, T> => command

// biome-ignore lint/suspicious/noExplicitAny: of any flags and pictures; `liveCommand` has checked them
export type AnyLiveCommand = LiveCommand<any, any>

/** On a terminal until somebody quits; elsewhere one picture, or under `--json` a line for each until the end of the process. */
export async function carryOutLive(command: AnyLiveCommand, given: Given, desk: Desk): Promise<number> {
  const ended = new AbortController()
  if (!given.isJson && desk.screen !== undefined) return onScreen(command, given, { open: desk.screen, ended })
  for await (const tick of command.ticks(given, ended.signal)) {
    if (given.isJson) {
      await desk.out(`${jsonText(tick, 0)}\n`)
      continue
    }
    for (const { lines } of command.show(tick, undefined)) for (const line of lines) await desk.out(`${line}\n`)
    break
  }
  return 0
}

async function onScreen(
  command: AnyLiveCommand,
  given: Given,
  { open, ended }: { readonly open: NonNullable<Desk['screen']>; readonly ended: AbortController },
): Promise<number> {
  let last: { readonly tick: unknown } | undefined
  const draw = () => {
    if (last === undefined) return
    const { columns, rows } = screen
    const lines = command.show(last.tick, { columns, rows }).flatMap(block => block.lines)
    screen.draw(lines.slice(0, rows).map(line => cut(line, columns)))
  }
  const quit = new Promise<'quit'>(resolve => {
    ended.signal.addEventListener('abort', () => resolve('quit'))
  })
  const screen = open({ quit: () => ended.abort(), resized: draw })
  try {
    screen.draw(['…'])
    const ticks = command.ticks(given, ended.signal)
    for (;;) {
      // A question that is under way when somebody quits is nobody's any more.
      const next = ticks.next()
      next.catch(() => {})
      const result = await Promise.race([next, quit])
      if (result === 'quit' || result.done === true) return 0
      last = { tick: result.value }
      draw()
    }
  } finally {
    screen.close()
  }
}
