// Our SDK, as built, under the loads of the client benchmark; see report.ts for what each figure is.
import { Producer, PushConsumer } from '@skua-mq/client'

const [namesrvAddr, topic, firstTopic, secondsText, windowText, bytesText] = process.argv.slice(2)
const seconds = Number(secondsText)
const window = Number(windowText)
const body = Buffer.alloc(Number(bytesText), 'x')
const group = what => `sdk-${what}-${process.pid}`

async function sendOneByOne(producer, forSeconds) {
  const took = []
  const end = performance.now() + forSeconds * 1000
  while (performance.now() < end) {
    const begun = performance.now()
    await producer.send({ topic, body })
    took.push((performance.now() - begun) * 1000)
  }
  return took.sort((a, b) => a - b)
}

async function sendMany(producer, forSeconds) {
  let sent = 0
  const end = performance.now() + forSeconds * 1000
  const lane = async () => {
    while (performance.now() < end) {
      await producer.send({ topic, body })
      sent++
    }
  }
  await Promise.all(Array.from({ length: window }, lane))
  return sent
}

async function charged(run) {
  const begun = performance.now()
  const cpu = process.cpuUsage()
  const messages = await run()
  const { user, system } = process.cpuUsage(cpu)
  return { perSecond: (messages * 1000) / (performance.now() - begun), cpuUs: (user + system) / messages }
}

async function firstMessageMs() {
  const options = { namesrvAddr, group: group('first'), consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET' }
  await using_(new PushConsumer(options), async consumer => {
    const first = new Promise(resolve => consumer.subscribe(firstTopic).onMessage(() => resolve(undefined)))
    firstMessageMs.begun = performance.now()
    await consumer.start()
    await first
    firstMessageMs.took = performance.now() - firstMessageMs.begun
  })
  return firstMessageMs.took
}

/** Node 20 does not know `await using`. */
async function using_(client, run) {
  try {
    return await run(client)
  } finally {
    await client.close()
  }
}

const consumeAll = count =>
  charged(() =>
    using_(
      new PushConsumer({ namesrvAddr, group: group('all'), consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET' }),
      async consumer => {
        let got = 0
        const end = performance.now() + seconds * 1000
        const done = new Promise(resolve =>
          consumer.subscribe(topic).onMessage(() => {
            got++
            if (got >= count || performance.now() > end) resolve(undefined)
          }),
        )
        await consumer.start()
        await done
        return got
      },
    ),
  )

const producer = new Producer({ namesrvAddr, group: group('producer') })
const warm = (await sendOneByOne(producer, 0.5)).length
const warmMany = await sendMany(producer, 0.5)
const latency = await sendOneByOne(producer, seconds)
let sentMany = 0
const many = await charged(async () => (sentMany = await sendMany(producer, seconds)))
await producer.close()
const firstMs = await firstMessageMs()
const consumed = await consumeAll(warm + warmMany + latency.length + sentMany)
const at = share => latency[Math.floor(latency.length * share)]
console.log(
  JSON.stringify({
    ...{ sendP50Us: at(0.5), sendP99Us: at(0.99), sendPerSecond: many.perSecond, sendCpuUs: many.cpuUs, firstMs },
    ...{ consumePerSecond: consumed.perSecond, consumeCpuUs: consumed.cpuUs },
  }),
)
process.exit(0)
