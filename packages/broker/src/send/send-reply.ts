import { ByteWriter, binaryEntry, type ReplyHeader } from '@skua-mq/protocol'
import { ReplyId } from './reply-id.ts'

export interface Region {
  readonly regionId: string
  readonly traceOn: boolean
}

const upperHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex').toUpperCase()

/**
 * The header of a send's reply (remoting.md 9.2), in 4.9's form. Everything that does not change from message to message
 * is bytes made once: the region, the trace switch, the host part of the message id.
 */
export class SendReply implements ReplyHeader {
  queueId = 0
  queueOffset = 0
  physicalOffset = 0
  /** Of a batch, whose ids stand in one field; empty for a single message. */
  batchOffsets: readonly number[] = []
  /** By which a message with a time of delivery can be recalled (5.x); empty for others. */
  recallHandle = ''
  /** The unique id (dialect: sendReplyHasTransactionId); empty: left out. */
  transactionId = new ReplyId()
  private openJson: Buffer = Buffer.alloc(0)
  private openBinary: Buffer = Buffer.alloc(0)
  private readonly host: Buffer

  constructor(settings: Region & { storeHost: Uint8Array }) {
    this.host = Buffer.from(upperHex(settings.storeHost))
    this.setRegion(settings)
  }

  setRegion({ regionId, traceOn }: Region): void {
    this.openJson = Buffer.from(`"MSG_REGION":${JSON.stringify(regionId)},"TRACE_ON":"${traceOn}","msgId":"`)
    const binary = new ByteWriter()
    binaryEntry(binary, 'MSG_REGION', regionId)
    binaryEntry(binary, 'TRACE_ON', String(traceOn))
    this.openBinary = Buffer.from(binary.bytes.subarray(0, binary.at))
  }

  json(out: ByteWriter): void {
    out.raw(this.openJson)
    this.ids(out)
    out.raw(queueIdJson)
    out.decimal(this.queueId)
    out.raw(queueOffsetJson)
    out.decimal(this.queueOffset)
    out.byte(0x22)
    if (this.recallHandle !== '') out.utf8(`,"recallHandle":"${this.recallHandle}"`)
    if (this.transactionId.isEmpty) return
    out.raw(transactionIdJson)
    this.transactionId.json(out)
  }

  binary(out: ByteWriter): void {
    out.raw(this.openBinary)
    out.raw(msgIdKey)
    const at = out.at
    out.int32(0)
    this.ids(out)
    out.bytes.writeInt32BE(out.at - at - 4, at)
    binaryEntry(out, 'queueId', String(this.queueId))
    binaryEntry(out, 'queueOffset', String(this.queueOffset))
    if (this.recallHandle !== '') binaryEntry(out, 'recallHandle', this.recallHandle)
    if (!this.transactionId.isEmpty) this.transactionId.binary(out, 'transactionId')
  }

  private ids(out: ByteWriter): void {
    if (this.batchOffsets.length === 0) this.id(out, this.physicalOffset)
    else
      for (let i = 0; i < this.batchOffsets.length; i++) {
        if (i > 0) out.byte(0x2c)
        this.id(out, this.batchOffsets[i] as number)
      }
  }

  private id(out: ByteWriter, physicalOffset: number): void {
    out.raw(this.host)
    out.hex64(physicalOffset)
  }
}

const queueIdJson = Buffer.from('","queueId":"')
const queueOffsetJson = Buffer.from('","queueOffset":"')
const transactionIdJson = Buffer.from(',"transactionId":')
const msgIdKey = Buffer.from('\u0000\u0005msgId')

/** What a refused send carries in its header: region and trace switch, as Java's. */
export class SendRefusal implements ReplyHeader {
  private region = ''
  private trace = ''

  constructor(region: Region) {
    this.setRegion(region)
  }

  setRegion({ regionId, traceOn }: Region): void {
    this.region = regionId
    this.trace = String(traceOn)
  }

  json(out: ByteWriter): void {
    out.utf8(`"MSG_REGION":${JSON.stringify(this.region)},"TRACE_ON":"${this.trace}"`)
  }

  binary(out: ByteWriter): void {
    binaryEntry(out, 'MSG_REGION', this.region)
    binaryEntry(out, 'TRACE_ON', this.trace)
  }
}
