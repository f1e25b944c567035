import type { MessageRequestMode, MessageRequestModes } from '@skua-mq/protocol'
import { type Clock, Failure } from '@skua-mq/runtime'
import { OpenChanges } from '../persist/open-changes.ts'
import { SaveSoon } from '../persist/save-soon.ts'
import type { TableFile } from '../persist/table-file.ts'

export interface RequestModesParts {
  readonly clock: Pick<Clock, 'after' | 'monotonic'>
  readonly file: TableFile<MessageRequestModes>
}

/** Whether groups pull or pop topics, where somebody said so (401). Kept in config/messageRequestMode.json. */
export class RequestModes {
  private readonly parts: RequestModesParts
  private readonly modes = new Map<string, Map<string, MessageRequestMode>>()
  private readonly soon: SaveSoon
  private readonly changes = new OpenChanges<MessageRequestMode>()

  constructor(parts: RequestModesParts) {
    this.parts = parts
    this.soon = new SaveSoon(parts.clock, () => parts.file.saveLater(this.table()))
  }

  load(): void {
    for (const [topic, groups] of this.parts.file.load()?.messageRequestModeMap ?? [])
      this.modes.set(topic, new Map(groups))
  }

  stop(): void {
    this.soon.stop()
  }

  find(topic: string, group: string): MessageRequestMode | undefined {
    return this.modes.get(topic)?.get(group)
  }

  /** On disk when it resolves; rejects with ETABLE when it could not be brought there, and is not taken then. */
  async put(mode: MessageRequestMode): Promise<void> {
    const { topic, consumerGroup } = mode
    const before = this.find(topic, consumerGroup)
    const change = this.changes.begin(`${topic}@${consumerGroup}`, { before, value: mode })
    this.set(topic, consumerGroup, mode)
    if (await this.soon.ask()) {
      this.changes.saved(change)
      return
    }
    this.set(topic, consumerGroup, this.changes.refused(change, this.find(topic, consumerGroup)))
    this.soon.owe()
    throw new Failure('ETABLE', 'messageRequestMode.json could not be written; the log of the broker says why')
  }

  /** 402, and the file. */
  table(): MessageRequestModes {
    return { messageRequestModeMap: this.modes }
  }

  /** A slave takes its master's table. */
  replace({ messageRequestModeMap }: MessageRequestModes): void {
    if (textOf(messageRequestModeMap) === textOf(this.modes)) return
    this.changes.forget()
    this.modes.clear()
    for (const [topic, groups] of messageRequestModeMap) this.modes.set(topic, new Map(groups))
    this.soon.owe()
  }

  topicDeleted(topic: string): void {
    if (this.modes.delete(topic)) this.soon.owe()
  }

  groupDeleted(group: string): void {
    for (const [topic, groups] of this.modes) if (groups.has(group)) this.set(topic, group, undefined)
  }

  private set(topic: string, group: string, mode: MessageRequestMode | undefined): void {
    const groups = this.modes.get(topic) ?? new Map<string, MessageRequestMode>()
    if (mode === undefined) groups.delete(group)
    else groups.set(group, mode)
    if (groups.size === 0) this.modes.delete(topic)
    else this.modes.set(topic, groups)
    if (mode === undefined) this.soon.owe()
  }
}

const textOf = (modes: MessageRequestModes['messageRequestModeMap']): string =>
  JSON.stringify([...modes].map(([topic, groups]) => [topic, ...groups]))
