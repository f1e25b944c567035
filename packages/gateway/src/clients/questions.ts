import type { Clock, Timer } from '@skua-mq/runtime'
import type { Duplex } from '../grpc/method.ts'
import type { TelemetryDraft, TelemetryValue } from '../v2/telemetry.ts'

/** The stream of a client. */
export type CommandStream = Duplex<TelemetryValue, TelemetryDraft>

interface Question {
  readonly stream: CommandStream
  readonly timer: Timer
  readonly resolve: (answer: TelemetryValue | undefined) => void
}

/** How long a client may take; a broker waits for ten seconds. */
const maxWaitMs = 9000
/** Questions that wait for their answers; further ones are not asked. */
const maxQuestions = 1000

/** What operators ask clients, by nonces. An answer counts on the stream only that the question went down. */
export class Questions {
  private readonly clock: Pick<Clock, 'after'>
  private readonly waiting = new Map<string, Question>()
  private last = 0

  constructor(clock: Pick<Clock, 'after'>) {
    this.clock = clock
  }

  /** Resolves to the client's answer; undefined where none comes. */
  ask(
    stream: CommandStream | undefined,
    command: (nonce: string) => TelemetryDraft,
  ): Promise<TelemetryValue | undefined> {
    const nonce = String(++this.last)
    if (this.waiting.size >= maxQuestions || !stream?.send(command(nonce))) return Promise.resolve(undefined)
    return new Promise(resolve => {
      const timer = this.clock.after(maxWaitMs, () => this.settle(nonce, undefined))
      this.waiting.set(nonce, { stream, timer, resolve })
    })
  }

  /** Takes what may be an answer. */
  take(stream: CommandStream, command: TelemetryValue): void {
    const nonce = (command.threadStackTrace ?? command.verifyMessageResult)?.nonce ?? ''
    if (this.waiting.get(nonce)?.stream === stream) this.settle(nonce, command)
  }

  /** No client answers any more. */
  stop(): void {
    for (const nonce of [...this.waiting.keys()]) this.settle(nonce, undefined)
  }

  private settle(nonce: string, answer: TelemetryValue | undefined): void {
    const question = this.waiting.get(nonce)
    this.waiting.delete(nonce)
    question?.timer.cancel()
    question?.resolve(answer)
  }
}
