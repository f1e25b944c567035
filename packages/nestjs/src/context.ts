import { BaseRpcContext } from '@nestjs/microservices'
import type { ConsumeContext, ReceivedMessage } from '@skua-mq/client'

/** What a handler gets by `@Ctx()`: the message as it came, and what its consumption may be told. */
export class SkuaContext extends BaseRpcContext<[ReceivedMessage<unknown>, ConsumeContext]> {
  /** Keys, tag, properties, tries, `ack()` and `nack({ delay })`. */
  getMessage(): ReceivedMessage<unknown> {
    return this.args[0]
  }

  /** Its queue, and the signal that is aborted when the consumer closes. */
  getConsumeContext(): ConsumeContext {
    return this.args[1]
  }
}
