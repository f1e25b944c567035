import { openHouse } from './house.ts'
import { checkStartOptions, type StartBrokerOptions } from './options.ts'
import { TestBroker } from './test-broker.ts'

/** Starts a name server and a broker in this process, at free ports of 127.0.0.1. Several stand side by side. */
export async function startBroker(options: StartBrokerOptions = {}): Promise<TestBroker> {
  checkStartOptions(options)
  const broker = new TestBroker(await openHouse(options))
  const prepare = async () => {
    if (options.topics !== undefined) await broker.createTopics(options.topics)
    if (options.groups !== undefined) await broker.createGroups(options.groups)
    if (options.seed !== undefined) await broker.send(options.seed)
  }
  try {
    await broker.clock.until(prepare())
    return broker
  } catch (error) {
    await broker.stop()
    throw error
  }
}
