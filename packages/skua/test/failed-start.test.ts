import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Broker, type BrokerConfig, brokerOptions } from '@skua-mq/broker'
import { configOf, type SimRuntime, simRuntime } from '@skua-mq/runtime'

const root = '/store'

/** What can keep a broker from starting, part by part. */
const faults: Record<string, { before: (runtime: SimRuntime) => Promise<void>; config?: Partial<BrokerConfig> }> = {
  'the main port is taken': { before: runtime => taken(runtime, 10_911) },
  'the second port is taken': { before: runtime => taken(runtime, 10_909) },
  'the port of the slaves is taken': { before: runtime => taken(runtime, 10_912) },
  'the port of metrics is taken': {
    before: runtime => taken(runtime, 5557),
    config: { metricsExporterType: 'PROM' },
  },
  'the main port is taken, with metrics': {
    before: runtime => taken(runtime, 10_911),
    config: { metricsExporterType: 'PROM' },
  },
  'topics.json is damaged': { before: runtime => damaged(runtime, 'config/topics.json') },
  'subscriptionGroup.json is damaged': { before: runtime => damaged(runtime, 'config/subscriptionGroup.json') },
  'consumerOffset.json is damaged': { before: runtime => damaged(runtime, 'config/consumerOffset.json') },
  'delayOffset.json is damaged': { before: runtime => damaged(runtime, 'config/delayOffset.json') },
  'a file of the log has a strange size': {
    before: runtime => damaged(runtime, 'commitlog/00000000000000000000'),
  },
  'a filter server cannot be started': { before: async () => {}, config: { filterServerNums: 2 } },
}

async function taken(runtime: SimRuntime, port: number): Promise<void> {
  await runtime.net.listen({ host: '0.0.0.0', port }, () => {})
}

async function damaged({ disk }: SimRuntime, path: string): Promise<void> {
  const file = `${root}/${path}`
  disk.makeDirectory(file.slice(0, file.lastIndexOf('/')))
  disk.writeFile(file, Buffer.from('no such thing {'))
}

for (const [what, { before, config: changes }] of Object.entries(faults)) {
  test(`a start that fails leaves nothing behind: ${what}`, async () => {
    const runtime = simRuntime({ seed: 1, host: 'broker' })
    await before(runtime)
    const listening = await freePorts(runtime)
    const timersBefore = runtime.clock.nextInMs
    const config = configOf(brokerOptions, {
      ...{ storePathRootDir: root, mappedFileSizeCommitLog: 65_536, mappedFileSizeConsumeQueue: 6000 },
      ...{ maxHashSlotNum: 50, maxIndexNum: 100, brokerName: 'broker-a' },
      ...changes,
    } as Partial<BrokerConfig>)
    const facts = { pid: 1, bootId: 'boot', startedAt: () => undefined, lockHolder: () => undefined }
    let filterServersAlive = 0
    const broker = new Broker({
      config,
      runtime,
      facts,
      totalMemoryBytes: 2 ** 30,
      startFilterProcess: () => {
        if (++filterServersAlive > 1) {
          filterServersAlive--
          throw new Error('no process can be started')
        }
        return { onEnd: () => {}, stop: async () => void filterServersAlive-- }
      },
    })
    await assert.rejects(runtime.clock.until(broker.start()))
    await runtime.clock.advanceAsync(0)
    assert.deepEqual(await freePorts(runtime), listening, 'ports')
    assert.equal(filterServersAlive, 0, 'filter servers')
    assert.equal(runtime.disk.stat(`${root}/skua.owner`), undefined, 'the lock')
    assert.equal(runtime.clock.nextInMs, timersBefore, 'timers')
  })
}

/** Which of the broker's ports can be listened on. */
async function freePorts({ net }: SimRuntime): Promise<number[]> {
  const free: number[] = []
  for (const port of [5557, 10_909, 10_911, 10_912]) {
    try {
      const listener = await net.listen({ host: '0.0.0.0', port }, () => {})
      await listener.close()
      free.push(port)
    } catch {}
  }
  return free
}
