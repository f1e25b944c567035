import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Host } from './broker-group.ts'

const script = join(dirname(fileURLToPath(import.meta.url)), 'weather.py')
const device = 'weather0'
const run = (...[file, ...args]: readonly string[]) => execFileSync(file!, args, { stdio: ['ignore', 'pipe', 'pipe'] })

/** Why there are no namespaces to have here; undefined where there are. */
export function withoutNamespaces(): string | undefined {
  const name = `skua${process.pid}try`
  try {
    run('ip', 'netns', 'add', name)
  } catch {
    return 'no network namespaces can be made here (wants root, and ip of iproute2)'
  }
  try {
    run('ip', 'netns', 'exec', name, 'python3', '-c', 'import os; os.open("/dev/net/tun", os.O_RDWR)')
    return undefined
  } catch {
    return 'between network namespaces stands python3 with /dev/net/tun, and one of them is missing'
  } finally {
    run('ip', 'netns', 'del', name)
  }
}

/** Namespaces of a process that ended without an end. */
function removeLeft(): void {
  for (const line of String(run('ip', 'netns', 'list')).split('\n')) {
    const [, name, pid] = /^(sk(\d+)[rn]\d*)\b/.exec(line) ?? []
    if (name !== undefined && !isAlive(Number(pid))) run('ip', 'netns', 'del', name)
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

export interface Weather {
  /** Packets from the first to the second are lost. */
  readonly cut?: readonly (readonly [from: Host, to: Host])[]
  /** Of each packet. */
  readonly delayMs?: number
  /** 0.05: one packet of twenty. */
  readonly loss?: number
}

/** Namespaces that reach each other, and this one, through one router, which has weather. */
export class NetLab {
  /** Each of them a machine of its own, as far as the network goes. */
  readonly places: Host[] = []
  private readonly id: string
  private readonly net: string
  private readonly names: string[] = []
  private weather: ChildProcess | undefined
  private said: (() => void)[] = []

  private constructor() {
    this.id = `sk${process.pid}`
    this.net = `10.${100 + (process.pid % 100)}`
  }

  /** `end` takes everything back, whatever has been made. */
  static async make(count: number, seed: number): Promise<NetLab> {
    const lab = new NetLab()
    removeLeft()
    try {
      lab.router()
      for (let at = 0; at < count; at++) lab.add(at)
      await lab.begin(seed)
    } catch (error) {
      await lab.end()
      throw error
    }
    return lab
  }

  /** Instead of what held so far. */
  async set({ cut = [], delayMs = 0, loss = 0 }: Weather): Promise<void> {
    const pairs = cut.map(([from, to]) => [from.address, to.address])
    const changed = new Promise<void>(resolve => this.said.push(resolve))
    this.weather?.stdin?.write(`${JSON.stringify({ cut: pairs, delayMs, loss })}\n`)
    await changed
  }

  async end(): Promise<void> {
    const { weather } = this
    this.weather = undefined
    if (weather !== undefined && weather.exitCode === null) {
      const ended = new Promise(resolve => weather.once('close', resolve))
      weather.kill('SIGKILL')
      await ended
    }
    for (const name of this.names.splice(0)) run('ip', 'netns', 'del', name)
  }

  private get within(): readonly string[] {
    return ['ip', 'netns', 'exec', `${this.id}r`]
  }

  /** With a link to where this process is, past the weather. */
  private router(): void {
    const { id, net, within } = this
    this.namespace(`${id}r`)
    for (const key of ['net.ipv4.ip_forward=1', 'net.ipv4.conf.all.rp_filter=0', 'net.ipv4.conf.default.rp_filter=0'])
      run(...within, 'sh', '-c', `echo ${key.split('=')[1]} > /proc/sys/${key.split('=')[0]!.replaceAll('.', '/')}`)
    run('ip', 'link', 'add', `${id}h`, 'type', 'veth', 'peer', 'name', 'here', 'netns', `${id}r`)
    run('ip', 'address', 'add', `${net}.250.2/24`, 'dev', `${id}h`)
    run('ip', 'link', 'set', `${id}h`, 'up')
    run(...within, 'ip', 'address', 'add', `${net}.250.1/24`, 'dev', 'here')
    run(...within, 'ip', 'link', 'set', 'here', 'up')
    run('ip', 'route', 'add', `${net}.0.0/16`, 'via', `${net}.250.1`)
  }

  private add(at: number): void {
    const { id, net, within } = this
    const name = `${id}n${at}`
    const own = ['ip', 'netns', 'exec', name]
    const [address, gateway] = [`${net}.${at + 1}.2`, `${net}.${at + 1}.1`]
    this.namespace(name)
    run('ip', 'link', 'add', `n${at}`, 'netns', `${id}r`, 'type', 'veth', 'peer', 'name', 'net', 'netns', name)
    run(...own, 'ip', 'address', 'add', `${address}/24`, 'dev', 'net')
    run(...own, 'ip', 'link', 'set', 'net', 'up')
    run(...own, 'ip', 'route', 'add', 'default', 'via', gateway)
    run(...within, 'ip', 'address', 'add', `${gateway}/24`, 'dev', `n${at}`)
    run(...within, 'ip', 'link', 'set', `n${at}`, 'up')
    // What comes from here and is for another place goes through the weather; what is for this process does not.
    run(...within, 'ip', 'rule', 'add', 'iif', `n${at}`, 'to', `${net}.250.0/24`, 'lookup', 'main', 'priority', '90')
    run(...within, 'ip', 'rule', 'add', 'iif', `n${at}`, 'lookup', '100', 'priority', '100')
    this.places.push({ address, within: own })
  }

  private async begin(seed: number): Promise<void> {
    const [file, ...args] = [...this.within, 'python3', script, device, String(seed)]
    const weather = spawn(file!, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.weather = weather
    const ready = new Promise<void>((resolve, reject) => {
      this.said.push(resolve)
      weather.once('exit', code => reject(new Error(`the weather ended with ${code}`)))
    })
    weather.stdout.on('data', chunk => {
      for (const _ of String(chunk).trim().split('\n')) this.said.shift()?.()
    })
    await ready
    run(...this.within, 'ip', 'link', 'set', device, 'up')
    run(...this.within, 'ip', 'route', 'add', 'default', 'dev', device, 'table', '100')
  }

  private namespace(name: string): void {
    run('ip', 'netns', 'add', name)
    this.names.push(name)
    run('ip', 'netns', 'exec', name, 'ip', 'link', 'set', 'lo', 'up')
  }
}
