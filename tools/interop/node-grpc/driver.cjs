// The official gRPC client for Node behind lines of JSON: one command a line on standard input, one answer a line on standard output.
const { createInterface } = require('node:readline')
const path = require('node:path')
const modules = process.argv[2]
const { Producer, SimpleConsumer, PushConsumer, ConsumeResult } = require(path.join(modules, 'rocketmq-client-nodejs'))

const answer = value => process.stdout.write(`${JSON.stringify(value)}\n`)
const producers = new Map()
const consumers = new Map()
const held = new Map()

async function producerOf({ endpoints, topic }) {
  const key = `${endpoints} ${topic}`
  if (!producers.has(key)) {
    const producer = new Producer({ endpoints, topic, namespace: '' })
    await producer.startup()
    producers.set(key, producer)
  }
  return producers.get(key)
}

const shown = view => ({
  messageId: view.messageId,
  topic: view.topic,
  body: view.body.toString(),
  corrupted: view.corrupted ?? false,
  tag: view.tag ?? null,
  keys: view.keys,
  group: view.messageGroup ?? null,
  properties: Object.fromEntries(view.properties),
  attempt: view.deliveryAttempt,
  atMs: Date.now(),
})

const commands = {
  async send(request) {
    const producer = await producerOf(request)
    const results = []
    const count = request.count ?? 1
    for (let i = 0; i < count; i++) {
      const receipt = await producer.send({
        topic: request.topic,
        tag: request.tag,
        keys: request.key === undefined ? [] : [request.key],
        messageGroup: request.group,
        delay: request.delayMs,
        properties: request.property === undefined ? undefined : new Map([['p', request.property]]),
        body: Buffer.from(`${request.body ?? 'hello'}${count > 1 ? ` ${i}` : ''}`),
      })
      results.push({ messageId: receipt.messageId, recallHandle: receipt.recallHandle })
    }
    return results
  },
  async recall({ endpoints, topic, handle }) {
    return (await (await producerOf({ endpoints, topic })).recallMessage(topic, handle)).messageId
  },
  async simple({ endpoints, name, group, topic, tags, awaitMs }) {
    const subscriptions = new Map([[topic, tags ?? '*']])
    const options = { endpoints, namespace: '', consumerGroup: group, subscriptions, awaitDuration: awaitMs ?? 5000 }
    const consumer = new SimpleConsumer(options)
    await consumer.startup()
    consumers.set(name, { consumer, got: [] })
    return true
  },
  async receive({ name, max, invisibleMs }) {
    const views = await consumers.get(name).consumer.receive(max ?? 16, invisibleMs ?? 10_000)
    return views.map(view => {
      const receipt = `${view.messageId}/${view.deliveryAttempt}`
      held.set(receipt, view)
      return { ...shown(view), receipt }
    })
  },
  async ack({ name, receipt }) {
    await consumers.get(name).consumer.ack(held.get(receipt))
    return true
  },
  async push({ endpoints, name, group, topic, tags, failFirst }) {
    const got = []
    const consume = async view => {
      got.push(shown(view))
      return (view.deliveryAttempt ?? 1) <= (failFirst ?? 0) ? ConsumeResult.FAILURE : ConsumeResult.SUCCESS
    }
    const subscriptions = new Map([[topic, tags ?? '*']])
    const options = { endpoints, namespace: '', consumerGroup: group, subscriptions, messageListener: { consume } }
    const consumer = new PushConsumer(options)
    await consumer.startup()
    consumers.set(name, { consumer, got })
    return true
  },
  async received({ name, count, timeoutMs }) {
    const { got } = consumers.get(name)
    const until = Date.now() + (timeoutMs ?? 10_000)
    while (got.length < (count ?? 1) && Date.now() < until) await new Promise(resolve => setTimeout(resolve, 10))
    return got
  },
  async close({ name }) {
    await consumers.get(name).consumer.shutdown()
    consumers.delete(name)
    return true
  },
}

process.on('uncaughtException', error => {
  // Its logger is closed before its clients are.
  if (!/log stream had been closed/.test(String(error))) throw error
})
createInterface({ input: process.stdin })
  .on('line', async line => {
    if (line.trim() === '') return
    const request = JSON.parse(line)
    try {
      answer({ id: request.id, result: await commands[request.do](request) })
    } catch (error) {
      answer({ id: request.id, error: `${error.name}: ${error.message}`, code: error.code })
    }
  })
  .on('close', () => process.exit(0))
answer({ ready: true })
