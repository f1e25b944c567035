import { cancelWaiting, moveWaiting, type WaitingMessage, waitingMessage } from '@skua-mq/admin'
import { lines } from '../mqadmin/frame/table.ts'
import { timeText } from '../mqadmin/frame/time-text.ts'
import { type Given, personCommand } from './frame.ts'
import { whenOf } from './when.ts'

interface CancelOptions {
  readonly topic?: string
  readonly dryRun?: boolean
  readonly yes?: boolean
}

interface MoveOptions extends CancelOptions {
  readonly to: string
}

/** What became of a message that waits. */
export interface WaitingChanged {
  readonly by: 'planned' | 'declined' | 'done'
  readonly message: WaitingMessage
  /** Milliseconds since 1970; null: it is never delivered. */
  readonly deliverAtMs: number | null
}

/** `skua timers cancel ID`. */
export const timersCancel = personCommand({
  run: async (given: Given<CancelOptions>): Promise<WaitingChanged> => {
    const message = await waitingMessage(given.session, given.words[0] ?? '', given.options)
    const by = await decide(given, `Take ${what(message)} back, so that nobody ever gets it?`)
    if (by === 'done') await cancelWaiting(given.session, message)
    return { by, message, deliverAtMs: null }
  },
  show: ({ by, message }) => [lines(`${what(message)} ${said[by]} taken back`)],
})

/** `skua timers move ID --to TIME`. */
export const timersMove = personCommand({
  run: async (given: Given<MoveOptions>): Promise<WaitingChanged> => {
    const deliverAtMs = whenOf(given.options.to, given.session.runtime.clock.now())
    const message = await waitingMessage(given.session, given.words[0] ?? '', given.options)
    const by = await decide(given, `Move ${what(message)} to ${timeText(deliverAtMs)}?`)
    if (by === 'done') await moveWaiting(given.session, message, deliverAtMs)
    return { by, message, deliverAtMs }
  },
  show: ({ by, message, deliverAtMs }) => [
    lines(`${what(message)} ${said[by]} moved to ${timeText(deliverAtMs ?? 0)}`),
  ],
})

const said: Readonly<Record<WaitingChanged['by'], string>> = {
  planned: 'would be',
  declined: 'was not',
  done: 'is',
}

const what = ({ msgId, topic, deliverAtMs }: WaitingMessage): string =>
  `${msgId} for ${topic}, which comes at ${timeText(deliverAtMs)},`

async function decide({ options, confirm }: Given<CancelOptions>, question: string): Promise<WaitingChanged['by']> {
  if (options.dryRun === true) return 'planned'
  return options.yes === true || (await confirm(question)) ? 'done' : 'declined'
}
