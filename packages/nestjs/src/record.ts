import type { Message, SendOptions } from '@skua-mq/client'

type Extras = Omit<Message, 'topic' | 'tag' | 'body'> & Pick<SendOptions, 'orderKey'>

/** Data for `client.emit` and `client.send` that says more of its message: keys, properties, `delayMs`, `orderKey` … */
export class SkuaRecord<D = unknown> {
  readonly data: D
  readonly extras: Extras

  constructor(data: D, extras: Extras) {
    this.data = data
    this.extras = extras
  }
}
