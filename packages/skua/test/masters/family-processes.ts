import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NameServer } from '@skua-mq/nameserver'
import { type Net, nodeRuntime } from '@skua-mq/runtime'
import { freePorts } from '../../src/index.ts'
import { portStride } from '../../src/masters/family.ts'
import { ServerProcess } from '../server-process.ts'

const host = '127.0.0.1'

/** A listenPort from which the ports of so many brokers are free. */
export async function freeFamily(net: Net, count: number): Promise<number> {
  for (let tries = 0; tries < 50; tries++) {
    const { broker } = await freePorts(net, host)
    const ports = Array.from({ length: count - 1 }, (_, at) => broker + (at + 1) * portStride)
    if (
      await areFree(
        net,
        ports.flatMap(port => [port - 2, port, port + 1]),
      )
    )
      return broker
  }
  throw new Error('no free ports for a family')
}

async function areFree(net: Net, ports: readonly number[]): Promise<boolean> {
  const tries = await Promise.allSettled(ports.map(port => net.listen({ host, port }, socket => socket.destroy())))
  await Promise.all(tries.flatMap(one => (one.status === 'fulfilled' ? [one.value.close()] : [])))
  return tries.every(({ status }) => status === 'fulfilled')
}

const isAlive = (pid: number): boolean =>
  existsSync(`/proc/${pid}/stat`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))

export async function until(what: string, is: () => boolean | Promise<boolean>, withinMs = 30_000): Promise<void> {
  for (const end = performance.now() + withinMs; performance.now() < end; ) {
    if (await is()) return
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  throw new Error(`never ${what}`)
}

/** A name server in this process, and the command with its broker.conf in a directory of its own. */
export class FamilyPlace {
  readonly folder = mkdtempSync(join(tmpdir(), 'skua-masters-'))
  readonly store = join(this.folder, 'store')
  readonly namesrvAddr: string
  readonly listenPort: number
  private readonly names: NameServer
  private readonly running: ServerProcess[] = []
  private readonly seen = new Set<number>()

  private constructor(names: NameServer, listenPort: number) {
    this.names = names
    this.listenPort = listenPort
    this.namesrvAddr = `${host}:${names.address.port}`
    const conf = {
      ...{ brokerName: 'broker-a', brokerIP1: host, listenPort, storePathRootDir: this.store },
      ...{ mappedFileSizeCommitLog: 1024 * 1024, mappedFileSizeConsumeQueue: 20_000, logLevel: 'info' },
      ...{ defaultTopicQueueNums: 2, namesrvAddr: this.namesrvAddr },
    }
    writeFileSync(
      this.conf,
      Object.entries(conf)
        .map(([key, value]) => `${key}=${value}\n`)
        .join(''),
    )
  }

  static async open(count: number): Promise<FamilyPlace> {
    const runtime = nodeRuntime()
    const kvConfigPath = join(mkdtempSync(join(tmpdir(), 'skua-masters-names-')), 'kv.json')
    const names = new NameServer({ runtime, listen: { host, port: 0 }, kvConfigPath, orderMessageEnable: false })
    await names.start()
    return new FamilyPlace(names, await freeFamily(runtime.net, count))
  }

  get conf(): string {
    return join(this.folder, 'broker.conf')
  }

  /** The command; what it is besides `broker -c` says `args`. */
  start(...args: string[]): ServerProcess {
    const made = ServerProcess.skua(['broker', '-c', this.conf, ...args])
    this.running.push(made)
    return made
  }

  async started(count: number): Promise<ServerProcess> {
    const family = this.start('--masters', String(count))
    await family.says(new RegExp(`^${count} masters of the family`, 'm'))
    return family
  }

  /** The processes of the brokers, in their order. */
  children(family: ServerProcess): number[] {
    const { pid } = family.child
    const path = `/proc/${pid}/task/${pid}/children`
    const all = (existsSync(path) ? readFileSync(path, 'utf8') : '').trim().split(' ').filter(Boolean).map(Number)
    const placeOf = (child: number) => /--member\0(\d+)/.exec(readFileSync(`/proc/${child}/cmdline`, 'utf8'))?.[1]
    for (const child of all) this.seen.add(child)
    return all.sort((a, b) => Number(placeOf(a)) - Number(placeOf(b)))
  }

  /** Resolves when none of these processes runs. */
  gone(pids: readonly number[]): Promise<void> {
    return until('gone', () => !pids.some(isAlive))
  }

  async close(): Promise<void> {
    const left = this.running.filter(({ child }) => child.exitCode === null && child.signalCode === null)
    for (const one of left) this.children(one)
    for (const one of left) one.child.kill('SIGKILL')
    // Those whose end is what a test is about: one that fails leaves none.
    for (const pid of this.seen)
      if (isAlive(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(this.folder))
        process.kill(pid, 'SIGKILL')
    await Promise.all(left.map(one => one.exit()))
    await this.names.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
