// Our SDK behind the same lines of JSON as the official clients: one command a line in, one answer a line out. Only what
// the tests of mixed groups ask for: `push` with `report`, and `stopConsumer`.
import { createInterface } from 'node:readline'
import { PushConsumer } from '@skua-mq/client'

const consumers = new Map<string, PushConsumer>()
// A pipe is written synchronously: what was said here was said before the message is acknowledged.
const answer = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`)

async function run(request: Record<string, string>): Promise<boolean> {
  const { namesrv = '', group = '', topic = '', name = '' } = request
  if (request['do'] === 'stopConsumer') {
    await consumers.get(name)?.close()
    return true
  }
  if (request['do'] !== 'push') throw new Error(`unknown command ${request['do']}`)
  const consumer = new PushConsumer({ namesrvAddr: namesrv, group, consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET' })
  consumer.subscribe(topic).onMessage(message => {
    answer({ took: message.text() })
  })
  await consumer.start()
  consumers.set(name, consumer)
  return true
}

createInterface({ input: process.stdin }).on('line', line => {
  const request = JSON.parse(line) as Record<string, string>
  run(request).then(
    result => answer({ id: request['id'], result }),
    error => answer({ id: request['id'], error: String(error) }),
  )
})
answer({ ready: true })
