import { type Disk, defineEvent, type Events } from '@skua-mq/runtime'
import type { Layout } from '../file/layout.ts'
import type { OpenFiles } from '../file/open-files.ts'

export const syncFailed = defineEvent<{ what: string; error: string }>('fdatasync failed', 'error')

/**
 * After a failed fdatasync the kernel takes the lost bytes for clean. This process writes them again; a file in the
 * store's directory tells the next one to do so, should this one be killed before.
 */
export class Suspicion {
  private readonly disk: Disk
  private readonly files: OpenFiles
  private readonly events: Events
  private readonly path: string
  private isRaised: boolean | undefined

  constructor(parts: { disk: Disk; files: OpenFiles; events: Events; layout: Layout }) {
    this.disk = parts.disk
    this.files = parts.files
    this.events = parts.events
    this.path = parts.layout.suspect
  }

  get raised(): boolean {
    this.isRaised ??= this.disk.stat(this.path) !== undefined
    return this.isRaised
  }

  raise(what: string, error: unknown): void {
    this.events.emit(syncFailed({ what, error: String(error) }))
    try {
      this.files.opened(() => this.disk.writeFile(this.path, Buffer.from(what)))
    } catch (second) {
      // A disk that takes nothing at all: the store stays read-only, and what can be told has been told.
      this.events.emit(syncFailed({ what: `the note about ${what}`, error: String(second) }))
    }
    this.isRaised = true
  }

  /** Everything was written and synced again. Throws DiskError. */
  clear(): void {
    if (this.raised) this.disk.remove(this.path)
    this.isRaised = false
  }
}
