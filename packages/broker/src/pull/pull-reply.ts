import { type ByteWriter, binaryEntry, type ReplyHeader } from '@skua-mq/protocol'

const suggestJson = Buffer.from('","suggestWhichBrokerId":"')
const nextJson = Buffer.from('","nextBeginOffset":"')
const minJson = Buffer.from('","minOffset":"')
const maxJson = Buffer.from('"maxOffset":"')

/** The header of a pull's reply (remoting.md 10): four longs and, in 5.3, two ints, on 0, 19, 20 and 21 alike. One object is reused. */
export class PullReply implements ReplyHeader {
  suggestWhichBrokerId = 0
  nextBeginOffset = 0
  minOffset = 0
  maxOffset = 0
  /** Both -1 where the dialect tells none. */
  topicSysFlag = -1
  groupSysFlag = -1

  json(out: ByteWriter): void {
    out.raw(maxJson)
    out.decimal(this.maxOffset)
    out.raw(minJson)
    out.decimal(this.minOffset)
    out.raw(nextJson)
    out.decimal(this.nextBeginOffset)
    out.raw(suggestJson)
    out.decimal(this.suggestWhichBrokerId)
    if (this.topicSysFlag >= 0) {
      out.utf8(`","topicSysFlag":"${this.topicSysFlag}","groupSysFlag":"${this.groupSysFlag}`)
    }
    out.byte(0x22)
  }

  binary(out: ByteWriter): void {
    binaryEntry(out, 'maxOffset', String(this.maxOffset))
    binaryEntry(out, 'minOffset', String(this.minOffset))
    binaryEntry(out, 'nextBeginOffset', String(this.nextBeginOffset))
    binaryEntry(out, 'suggestWhichBrokerId', String(this.suggestWhichBrokerId))
    if (this.topicSysFlag < 0) return
    binaryEntry(out, 'topicSysFlag', String(this.topicSysFlag))
    binaryEntry(out, 'groupSysFlag', String(this.groupSysFlag))
  }
}
