// ali-ons under the loads of the client benchmark; see report.ts for what each figure is.
const path = require('node:path')

const [modules, namesrv, topic, firstTopic, secondsText, windowText, bytesText] = process.argv.slice(2)
const { Producer, Consumer, Message } = require(path.join(modules, 'ali-ons'))
const httpclient = require(path.join(modules, 'urllib'))
const seconds = Number(secondsText)
const body = 'x'.repeat(Number(bytesText))
const logger = { info() {}, warn() {}, error() {}, debug() {} }
const options = { httpclient, logger, namesrvAddr: namesrv, nameSrv: namesrv, accessKeyId: 'a', accessKeySecret: 's' }
const group = what => `ali-${what}-${process.pid}`

async function sendOneByOne(producer, forSeconds) {
  const took = []
  const end = performance.now() + forSeconds * 1000
  while (performance.now() < end) {
    const begun = performance.now()
    await producer.send(new Message(topic, 'A', body))
    took.push((performance.now() - begun) * 1000)
  }
  return took.sort((a, b) => a - b)
}

async function sendMany(producer, forSeconds) {
  let sent = 0
  const end = performance.now() + forSeconds * 1000
  const lane = async () => {
    while (performance.now() < end) {
      await producer.send(new Message(topic, 'A', body))
      sent++
    }
  }
  await Promise.all(Array.from({ length: Number(windowText) }, lane))
  return sent
}

async function charged(run) {
  const begun = performance.now()
  const cpu = process.cpuUsage()
  const messages = await run()
  const { user, system } = process.cpuUsage(cpu)
  return { perSecond: (messages * 1000) / (performance.now() - begun), cpuUs: (user + system) / messages }
}

/** Resolves when the consumer took `count` messages or the time is over. */
function consume(what, from, count) {
  const begun = performance.now()
  const consumerGroup = group(what)
  const consumer = new Consumer({ ...options, consumerGroup, consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET' })
  consumer.on('error', () => {})
  return new Promise(resolve => {
    let got = 0
    consumer.subscribe(from, '*', async () => {
      got++
      if (got === count || performance.now() > begun + seconds * 1000) resolve(got)
    })
  })
}

async function main() {
  const producer = new Producer({ ...options, producerGroup: group('producer') })
  producer.on('error', () => {})
  await producer.ready()
  const warm = (await sendOneByOne(producer, 0.5)).length + (await sendMany(producer, 0.5))
  const latency = await sendOneByOne(producer, seconds)
  let sentMany = 0
  const many = await charged(async () => (sentMany = await sendMany(producer, seconds)))
  const begun = performance.now()
  await consume('first', firstTopic, 1)
  const firstMs = performance.now() - begun
  const consumed = await charged(() => consume('all', topic, warm + latency.length + sentMany))
  const at = share => latency[Math.floor(latency.length * share)]
  console.log(
    JSON.stringify({
      ...{ sendP50Us: at(0.5), sendP99Us: at(0.99), sendPerSecond: many.perSecond, sendCpuUs: many.cpuUs, firstMs },
      ...{ consumePerSecond: consumed.perSecond, consumeCpuUs: consumed.cpuUs },
    }),
  )
  process.exit(0)
}
process.on('unhandledRejection', () => {})
main()
