import {
  decodeFrame,
  decodeRecords,
  encodeFrame,
  FrameParser,
  HeaderForm,
  pullMessage,
  sendMessageV2,
  writeFields,
} from '@skua-mq/protocol'
import { Histogram } from './histogram.ts'
import { brokerOf, connect } from './load.ts'

/** One producer at a steady rate, one consumer that long-polls: µs from the send to the message in the consumer's hands. */
export async function endToEnd(options: {
  namesrv: string
  topic: string
  perSecond: number
  seconds: number
  /** DELAY of each message; the time that it stands for is not counted. */
  delayLevel?: { readonly level: number; readonly ms: number }
}): Promise<{ p50Us: number; p99Us: number; received: number }> {
  const broker = await brokerOf(options.namesrv, options.topic)
  const [sender, receiver] = await Promise.all([connect(broker.host, broker.port), connect(broker.host, broker.port)])
  const latency = new Histogram()
  const counts = { sent: 0, received: 0, going: true }
  sender.on('data', () => {})
  const send = (body: string) => {
    const header = {
      producerGroup: 'bench',
      topic: options.topic,
      defaultTopic: 'TBW102',
      defaultTopicQueueNums: 1,
      queueId: 0,
      sysFlag: 0,
      bornTimestamp: Date.now(),
      flag: 0,
      unitMode: false,
      batch: false,
      ...(options.delayLevel === undefined ? {} : { properties: `DELAY\u0001${options.delayLevel.level}` }),
    }
    sender.write(
      encodeFrame({
        code: sendMessageV2.code,
        language: 0,
        version: 409,
        opaque: 1,
        flag: 0,
        extFields: writeFields(sendMessageV2.header, header),
        body: Buffer.from(body),
        form: HeaderForm.json,
      }),
    )
  }
  send('first')
  await new Promise(resolve => setTimeout(resolve, 500))
  const pull = (queueOffset: number) => {
    const header = {
      consumerGroup: 'bench',
      topic: options.topic,
      queueId: 0,
      queueOffset,
      maxMsgNums: 32,
      sysFlag: 6,
      commitOffset: 0,
      suspendTimeoutMillis: 15_000,
      subscription: '*',
      subVersion: 0,
      expressionType: 'TAG',
    }
    receiver.write(
      encodeFrame({
        code: pullMessage.code,
        language: 0,
        version: 409,
        opaque: 2,
        flag: 0,
        extFields: writeFields(pullMessage.header, header),
        form: HeaderForm.json,
      }),
    )
  }
  const parser = new FrameParser()
  receiver.on('data', chunk =>
    parser.push(chunk as Buffer, (bytes, start, end) => {
      const reply = decodeFrame(bytes, start, end)
      const now = performance.now()
      if (reply.code === 0 && reply.body !== undefined) {
        for (const message of decodeRecords(Buffer.from(reply.body))) {
          const sentAt = Number(Buffer.from(message.body).toString())
          if (Number.isNaN(sentAt)) continue
          latency.add(Math.max(0, now - sentAt - (options.delayLevel?.ms ?? 0)) * 1000)
          counts.received++
        }
      }
      if (counts.going) pull(Number(reply.extFields['nextBeginOffset'] ?? 0))
    }),
  )
  pull(0)
  const begun = performance.now()
  await new Promise<void>(resolve => {
    const tick = () => {
      const due = Math.min(
        options.seconds * options.perSecond,
        ((performance.now() - begun) / 1000) * options.perSecond,
      )
      while (counts.sent < due) {
        counts.sent++
        send(String(performance.now()))
      }
      if (counts.sent >= options.seconds * options.perSecond) resolve()
      else setTimeout(tick, 1)
    }
    tick()
  })
  await new Promise(resolve => setTimeout(resolve, 300 + 2 * (options.delayLevel?.ms ?? 0)))
  counts.going = false
  sender.destroy()
  receiver.destroy()
  return {
    p50Us: Math.round(latency.percentile(0.5)),
    p99Us: Math.round(latency.percentile(0.99)),
    received: counts.received,
  }
}
