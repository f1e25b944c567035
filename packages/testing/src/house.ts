import { AdminSession } from '@skua-mq/admin'
import { type FreePorts, freePorts } from '@skua-mq/broker'
import {
  type Disk,
  LinkedNet,
  loopTurn,
  MemoryDisk,
  NetError,
  NodeDisk,
  NodeHttp,
  NodeNet,
  noEvents,
  type Runtime,
  SimRandom,
  SimTurn,
} from '@skua-mq/runtime'
import { ClientKit, type TestClientOptions } from './client-kit.ts'
import { defaultPatience, Quiet } from './clock/quiet.ts'
import { type Clocks, realClocks, virtualClocks } from './clock/test-clock.ts'
import { KitDisk } from './disk/kit-disk.ts'
import { Faults } from './fault/faults.ts'
import { Ledger } from './look/ledger.ts'
import { KitNet } from './net/kit-net.ts'
import type { StartBrokerOptions } from './options.ts'
import { ServerLife } from './server/life.ts'
import { Servers } from './server/servers.ts'

/** Where a virtual clock begins: 2026-01-01T00:00:00Z. */
const defaultStartMs = Date.UTC(2026, 0, 1)
const host = '127.0.0.1'

/** How often free ports are looked for that somebody else took before they were listened at. */
const maxStarts = 5

/** All parts of a test's broker. */
export interface House {
  readonly quiet: Quiet
  readonly clocks: Clocks
  readonly faults: Faults
  readonly ledger: Ledger
  readonly servers: Servers
  readonly clients: ClientKit
  readonly clientOptions: TestClientOptions
  /** Asks the broker, past the faults. */
  readonly session: AdminSession
  /** Where the store is, without faults. */
  readonly disk: Disk
  readonly root: string
  /** The machine's files, of which a test names some. */
  readonly files: Disk
  stop(): Promise<void>
}

/** Builds them, and starts the servers. */
export async function openHouse(options: StartBrokerOptions): Promise<House> {
  for (let starts = 1; ; starts++) {
    try {
      return await openOnce(options)
    } catch (error) {
      const isTaken = error instanceof NetError && error.code === 'EADDRINUSE'
      if (!isTaken || options.port !== undefined || starts === maxStarts) throw error
    }
  }
}

async function openOnce(options: StartBrokerOptions): Promise<House> {
  const quiet = new Quiet({ ...defaultPatience, ...options.patience })
  const clocks = clocksOf(options, quiet)
  const { clock } = clocks
  const faults = new Faults()
  const net = new KitNet({ base: new LinkedNet(new NodeNet()), quiet, faults, clock })
  quiet.sockets = net
  const random = new SimRandom(options.random ?? 1)
  const files = new NodeDisk()
  const isMemory = (options.store ?? 'memory') === 'memory'
  const disk: Disk = isMemory ? new MemoryDisk({ clock }) : files
  const root = isMemory ? '/memory' : (options.store as string)
  const events = options.events ?? noEvents
  const servers = new Servers({
    ports: await portsOf(options),
    root,
    config: options.config ?? {},
    life: () =>
      new ServerLife({
        ...{ clock, net, random: random.fork(), events },
        disk: life => new KitDisk({ base: disk, faults: faults.disk, clock, quiet, life }),
      }),
  })
  await clocks.test.until(servers.start())
  const ledger = new Ledger(clock, quiet)
  const machine = (): Omit<Runtime, 'net'> => ({
    ...{ clock, http: new NodeHttp(), random: random.fork(), events },
    disk: new MemoryDisk({ clock }),
    turn: new SimTurn(run => void loopTurn().then(run)),
  })
  const clientOptions: TestClientOptions = {
    namesrvAddr: servers.namesrvAddr,
    runtime: { ...machine(), net },
    tracer: ledger.tracer,
    clientIP: host,
    logger: false,
  }
  const clients = new ClientKit(clientOptions)
  const session = new AdminSession({ namesrvAddr: servers.namesrvAddr, runtime: { ...machine(), net: net.forLooks() } })
  const stop = async () => {
    await clients.close()
    await session.close()
    await servers.stop()
  }
  return {
    ...{ quiet, clocks, faults, ledger, servers, clients, clientOptions, session },
    ...{ disk, root, files, stop },
  }
}

function clocksOf({ clock = 'real', startTime }: StartBrokerOptions, quiet: Quiet): Clocks {
  if (clock === 'real') return realClocks(quiet)
  const startMs = startTime === undefined ? defaultStartMs : new Date(startTime).getTime()
  if (!Number.isFinite(startMs)) throw new RangeError(`startTime ${startTime} is no time`)
  return virtualClocks(startMs, quiet)
}

async function portsOf({ port, nameServerPort }: StartBrokerOptions): Promise<FreePorts> {
  const free = await freePorts(new NodeNet(), host)
  return {
    broker: port ?? free.broker,
    nameServer: nameServerPort ?? (port === undefined ? free.nameServer : port - 1),
  }
}
