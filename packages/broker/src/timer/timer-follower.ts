import { type Disk, defineEvent, type Events } from '@skua-mq/runtime'
import { noTimerCheckpoint, TimerCheckFile, type TimerCheckpoint } from '@skua-mq/store'

export const timerCheckNotSaved = defineEvent<{ error: unknown }>('timercheck of the master not saved', 'error')

/**
 * What a slave knows of its master's timers: how far they have come. Where it is started as a master, wheel and log are made
 * again from the timer's topic, which it has; what the master had delivered by then is not delivered again.
 */
export class TimerFollower {
  private readonly disk: Disk
  private readonly events: Events
  private readonly root: string
  private readonly file: TimerCheckFile
  private saved: string | undefined
  private saving: Promise<void> = Promise.resolve()

  constructor({ disk, events, root }: { disk: Disk; events: Events; root: string }) {
    this.disk = disk
    this.events = events
    this.root = root
    this.file = new TimerCheckFile(disk, `${root}/config/timercheck`)
  }

  /** It may have been a master before: its own wheel and log say nothing of what the master of now has delivered. */
  start(): void {
    this.disk.remove(`${this.root}/timerwheel`)
    this.disk.remove(`${this.root}/timerlog`)
  }

  /** What was taken of the master, or the end of its own time as a master. */
  get checkpoint(): TimerCheckpoint {
    return this.file.load() ?? noTimerCheckpoint
  }

  /** This log has what the check point speaks of, and on the medium. */
  replace(master: TimerCheckpoint): void {
    // One that has begun to make its files again knows no better than what is here.
    if (master.readMs <= 0 || master.masterQueueOffset < 0) return
    const check = { ...master, logFlushed: 0, queueOffset: 0 }
    const text = JSON.stringify(check)
    if (text === this.saved) return
    this.saved = text
    this.saving = this.saving
      .then(() => this.file.save(check))
      .catch(error => {
        this.saved = undefined
        this.events.emit(timerCheckNotSaved({ error }))
      })
  }

  /** Resolves when what was taken is on disk, or could not be brought there. */
  async stop(): Promise<void> {
    await this.saving
  }
}
