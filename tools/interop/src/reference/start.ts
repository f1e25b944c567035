import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ask } from './ask.ts'
import { freeBrokerPort, freePort } from './free-ports.ts'
import { jvmArguments, makeHome } from './home.ts'
import { type ReferenceVersion, referenceJars } from './jars.ts'
import { ServerProcess } from './server-process.ts'

export interface ReferenceOptions {
  readonly version: ReferenceVersion
  /** Default: free ones. A broker at p listens at p-2 and p+1 too. */
  readonly ports?: { readonly nameServer?: number; readonly broker?: number }
  /** Where store, configuration and logs go; default: a folder that `stop` removes. */
  readonly storeDir?: string
  /** Lines of broker.conf over ours. */
  readonly conf?: Readonly<Record<string, string | number | boolean>>
  /** Default 512; the name server gets a quarter. */
  readonly heapMb?: number
}

export interface Reference {
  readonly namesrvAddr: string
  readonly brokerAddr: string
  readonly brokerPid: number
  readonly namesrvPid: number
  readonly dir: string
  /** Ends the broker (by SIGKILL on wish) and starts it again on the same store and port. */
  restartBroker(signal?: NodeJS.Signals): Promise<void>
  /** Ends the broker by SIGKILL; the name server stays. */
  killBroker(): Promise<void>
  /** SIGTERM unless said otherwise; a broker of 5.3.3 takes 14 s to go that way. */
  stop(signal?: NodeJS.Signals): Promise<void>
}

/** The real name server and broker of Apache RocketMQ, each in its JVM; ready when a message was stored. */
export async function startReference(options: ReferenceOptions): Promise<Reference> {
  const dir = options.storeDir ?? mkdtempSync(join(tmpdir(), 'skua-reference-'))
  const lib = await referenceJars(options.version)
  const broker = options.ports?.broker ?? (await freeBrokerPort())
  const nameServer = options.ports?.nameServer ?? (await freePort())
  const place: Place = { dir, lib, broker, nameServer, options }
  makeHome(dir)
  const names = await startNameServer(place)
  let running: ServerProcess
  try {
    running = await startBroker(place)
  } catch (error) {
    await names.stop('SIGKILL')
    throw error
  }
  return {
    namesrvAddr: `127.0.0.1:${nameServer}`,
    brokerAddr: `127.0.0.1:${broker}`,
    dir,
    namesrvPid: names.pid,
    get brokerPid() {
      return running.pid
    },
    async restartBroker(signal) {
      await running.stop(signal)
      running = await startBroker(place)
    },
    killBroker: () => running.stop('SIGKILL'),
    async stop(signal) {
      await Promise.all([running.stop(signal), names.stop(signal)])
      if (options.storeDir === undefined) rmSync(dir, { recursive: true, force: true })
    },
  }
}

interface Place {
  readonly dir: string
  readonly lib: string
  readonly broker: number
  readonly nameServer: number
  readonly options: ReferenceOptions
}

async function startNameServer({ dir, lib, nameServer, options }: Place): Promise<ServerProcess> {
  writeFileSync(join(dir, 'namesrv.conf'), `listenPort=${nameServer}\n`)
  const process = new ServerProcess(
    [
      ...jvmArguments(dir, Math.ceil((options.heapMb ?? 512) / 4)),
      '-cp',
      `${dir}/conf:${lib}/*`,
      'org.apache.rocketmq.namesrv.NamesrvStartup',
      '-c',
      join(dir, 'namesrv.conf'),
    ],
    { home: dir, log: join(dir, 'namesrv.out') },
  )
  const getBrokerClusterInfo = 106
  await process.until(
    async () => (await ask(`127.0.0.1:${nameServer}`, { code: getBrokerClusterInfo })).code === 0,
    'the name server answers',
  )
  return process
}

const configuration = ({ dir, broker, nameServer, options }: Place): string =>
  Object.entries({
    brokerClusterName: 'DefaultCluster',
    brokerName: 'broker-a',
    brokerId: 0,
    brokerRole: 'ASYNC_MASTER',
    flushDiskType: 'ASYNC_FLUSH',
    namesrvAddr: `127.0.0.1:${nameServer}`,
    brokerIP1: '127.0.0.1',
    brokerIP2: '127.0.0.1',
    listenPort: broker,
    haListenPort: broker + 1,
    storePathRootDir: join(dir, 'store'),
    storePathCommitLog: join(dir, 'store', 'commitlog'),
    // Small files, so that a test does not reserve gigabytes.
    mappedFileSizeCommitLog: 64 * 1024 * 1024,
    autoCreateTopicEnable: true,
    ...options.conf,
  })
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')

async function startBroker(place: Place): Promise<ServerProcess> {
  const { dir, lib, broker, nameServer, options } = place
  mkdirSync(join(dir, 'store'), { recursive: true })
  writeFileSync(join(dir, 'broker.conf'), configuration(place))
  const process = new ServerProcess(
    [
      ...jvmArguments(dir, options.heapMb ?? 512),
      '-cp',
      `${dir}/conf:${lib}/*`,
      'org.apache.rocketmq.broker.BrokerStartup',
      '-c',
      join(dir, 'broker.conf'),
    ],
    { home: dir, log: join(dir, 'broker.out') },
  )
  try {
    await process.until(async () => {
      const clusters = await ask(`127.0.0.1:${nameServer}`, { code: 106 })
      if (!Buffer.from(clusters.body ?? []).includes(`127.0.0.1:${broker}"`)) return false
      const slave = options.conf?.['brokerRole'] === 'SLAVE'
      // Who checks signatures refuses ours, and so is there.
      const refuses = options.conf?.['aclEnable'] === true
      return slave || stores(`127.0.0.1:${broker}`, refuses ? [...stored, 1] : stored)
    }, 'the broker stored a message')
  } catch (error) {
    await process.stop('SIGKILL')
    throw error
  }
  return process
}

const stored: readonly number[] = [0, 10, 11, 12]

/** A broker is listed before it accepts messages; SEND_MESSAGE tells. Answers 10 to 12 mean stored as well. */
async function stores(address: string, ready: readonly number[]): Promise<boolean> {
  const sendMessage = 10
  const reply = await ask(address, {
    code: sendMessage,
    extFields: {
      producerGroup: 'probe',
      topic: 'skua_reference_probe',
      defaultTopic: 'TBW102',
      defaultTopicQueueNums: '1',
      queueId: '0',
      sysFlag: '0',
      bornTimestamp: String(Date.now()),
      flag: '0',
      properties: '',
      reconsumeTimes: '0',
      unitMode: 'false',
      batch: 'false',
    },
    body: Buffer.from('probe'),
  })
  return ready.includes(reply.code)
}
