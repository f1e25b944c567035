// ali-ons behind lines of JSON: one command a line on standard input, one answer a line on standard output.
const { createInterface } = require('node:readline')
const path = require('node:path')
const modules = process.argv[2]
const { Producer, Consumer, Message } = require(path.join(modules, 'ali-ons'))
const httpclient = require(path.join(modules, 'urllib'))

const answer = value => process.stdout.write(`${JSON.stringify(value)}\n`)
const quiet = { info() {}, warn() {}, error() {}, debug() {} }
const producers = new Map()
const consumers = new Map()
const options = request => ({
  httpclient,
  logger: quiet,
  namesrvAddr: request.namesrv,
  nameSrv: request.namesrv,
  accessKeyId: process.env.SKUA_ACCESS_KEY ?? 'a',
  accessKeySecret: process.env.SKUA_SECRET_KEY ?? 's',
})

async function producerOf(request) {
  const known = producers.get(request.namesrv)
  if (known !== undefined) return known
  const producer = new Producer({ ...options(request), producerGroup: request.group ?? 'interop-ali-producer' })
  producer.on('error', () => {})
  await producer.ready()
  producers.set(request.namesrv, producer)
  return producer
}

const commands = {
  async send(request) {
    const producer = await producerOf(request)
    const results = []
    const count = request.count ?? 1
    for (let i = 0; i < count; i++) {
      const tag = Array.isArray(request.tags) ? request.tags[i % request.tags.length] : request.tag
      const message = new Message(request.topic, tag, `${request.body ?? 'hello'}${count > 1 ? ` ${i}` : ''}`)
      if (request.key) message.keys = [request.key]
      if (request.delayLevel) message.delayTimeLevel = request.delayLevel
      const sent = await producer.send(message)
      results.push({
        status: sent.sendStatus,
        msgId: sent.msgId,
        queueId: sent.messageQueue.queueId,
        brokerName: sent.messageQueue.brokerName,
        queueOffset: sent.queueOffset,
      })
    }
    return results
  },
  async push(request) {
    const consumer = new Consumer({
      ...options(request),
      consumerGroup: request.group,
      consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
    })
    const got = []
    consumer.on('error', () => {})
    consumer.subscribe(request.topic, request.tags ?? '*', async message => {
      got.push({
        topic: message.topic,
        queueId: message.queueId,
        queueOffset: message.queueOffset,
        msgId: message.msgId,
        tags: message.tags,
        body: String(message.body),
        reconsumeTimes: message.reconsumeTimes,
      })
      if ((message.reconsumeTimes ?? 0) < (request.failFirst ?? 0)) throw new Error('fails on purpose')
    })
    await consumer.ready()
    consumers.set(request.name, { consumer, got })
    return true
  },
  async received(request) {
    const { got } = consumers.get(request.name)
    const until = Date.now() + (request.timeoutMs ?? 10_000)
    while (got.length < (request.count ?? 1) && Date.now() < until)
      await new Promise(resolve => setTimeout(resolve, 10))
    return got
  },
  async stopConsumer(request) {
    await consumers.get(request.name).consumer.close()
    return true
  },
}

process.on('unhandledRejection', error => process.stderr.write(`${error?.stack ?? error}\n`))
answer({ ready: true })
const lines = createInterface({ input: process.stdin })
// Whoever asked is gone.
lines.on('close', () => process.exit(0))
lines.on('line', line => {
  const request = JSON.parse(line)
  Promise.resolve()
    .then(() => commands[request.do](request))
    .then(
      result => answer({ id: request.id, result }),
      error => answer({ id: request.id, error: `${error.name}: ${error.message}` }),
    )
})
