// Every member gets every message; offsets are kept in a local file.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Producer, PushConsumer } from '@skua-mq/client'

const namesrvAddr = process.env['NAMESRV_ADDR'] ?? '127.0.0.1:9876'

const localOffsetStoreDir = mkdtempSync(join(tmpdir(), 'offsets-'))
const members = ['first', 'second'].map(
  instanceName =>
    new PushConsumer({
      namesrvAddr,
      group: 'broadcast',
      instanceName,
      messageModel: 'BROADCASTING',
      localOffsetStoreDir,
      consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
    }),
)
await using producer = new Producer({ namesrvAddr, group: 'broadcast-producer' })
await producer.send({ topic: 'News', body: 'for everybody' })
await Promise.all(
  members.map(async member => {
    member.subscribe('News')
    for await (const message of member) {
      console.log('heard:', message.text())
      member.ack(message)
      break
    }
    await member.close()
  }),
)
