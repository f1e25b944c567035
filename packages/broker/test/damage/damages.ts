import type { SimDisk, SimRandom } from '@skua-mq/runtime'

const root = '/store'
const pageBytes = 4096

/** What a store has beside its log, by what stands in its path. */
const kinds = [
  'consumequeue',
  'consumequeue_ext',
  'index',
  'timerwheel',
  'timerlog',
  'config/timercheck',
  'checkpoint',
  'skua.dispatch',
  'abort',
  'config',
] as const

/** What was done to which file, or to which folder. */
export interface Damage {
  readonly path: string
  readonly how: string
  /** Whether a `.bak` shared the fate of its file. */
  readonly withBak: boolean
  /** Whether bytes are other than they were. */
  readonly isReal: boolean
}

/** Damages one file of a store whose process has ended, or takes a folder away; the log stays as it is. */
export class Damager {
  private readonly disk: SimDisk
  private readonly random: SimRandom

  constructor(disk: SimDisk, random: SimRandom) {
    this.disk = disk
    this.random = random
  }

  damage(): Damage | undefined {
    const path = `${root}/${this.one(kinds)}`
    if (this.disk.stat(path) === undefined) return undefined
    if (!this.isFolder(path)) return this.damageFile(path)
    if (path.endsWith('/config')) return this.damageTable(path)
    if (this.random.chance(0.1)) return this.take(path)
    // A topic, a queue, or a file in it.
    for (let place = path; ; ) {
      const names = this.disk.list(place)
      if (names.length === 0) return undefined
      const name = `${place}/${this.random.chance(0.5) ? this.one(names) : this.one([names[0]!, names.at(-1)!])}`
      if (!this.isFolder(name)) return this.random.chance(0.3) ? this.take(name) : this.damageFile(name)
      if (this.random.chance(0.1)) return this.take(name)
      place = name
    }
  }

  private damageTable(config: string): Damage | undefined {
    const names = this.disk.list(config).filter(name => !name.endsWith('.bak') && name !== 'timercheck')
    if (names.length === 0) return undefined
    const path = `${config}/${this.one(names)}`
    const withBak = this.random.chance(0.4)
    const isGone = this.random.chance(0.3)
    if (withBak && this.disk.stat(`${path}.bak`) !== undefined) {
      if (isGone) this.take(`${path}.bak`)
      else this.change(`${path}.bak`, 'noise')
    }
    if (isGone) return { ...this.take(path), withBak }
    return { ...this.damageFile(path), withBak }
  }

  private damageFile(path: string): Damage {
    const how = this.one(['zeros', 'noise', 'cut', 'other', 'gone'] as const)
    if (how === 'gone') return this.take(path)
    return { path, how, withBak: false, isReal: this.change(path, how) }
  }

  /** True where it is other than it was. */
  private change(path: string, how: 'zeros' | 'noise' | 'cut' | 'other'): boolean {
    const { random, disk } = this
    const { size } = disk.stat(path)!
    if (size === 0) return false
    const file = disk.open(path, 'write')
    const length = Math.min(size, this.one([pageBytes, 512, 64, size > 100_000 ? pageBytes : size]))
    const at = this.one([0, size - length, random.int(size - length + 1)])
    const before = Buffer.alloc(length)
    file.readSync(before, 0, length, at)
    let after = before
    if (how === 'cut') file.truncateSync(at)
    else {
      after = Buffer.alloc(length)
      if (how === 'noise') for (let i = 0; i < length; i++) after[i] = random.int(256)
      if (how === 'other') file.readSync(after, 0, length, random.int(size - length + 1))
      file.writeSync(after, 0, length, at)
    }
    file.syncDataSync()
    file.closeSync()
    return how === 'cut' || !after.equals(before)
  }

  private take(path: string): Damage {
    this.disk.remove(path)
    this.disk.syncDirectory(path.slice(0, path.lastIndexOf('/')))
    return { path, how: 'gone', withBak: false, isReal: true }
  }

  private isFolder(path: string): boolean {
    return this.disk.stat(path)?.directory === true
  }

  private one<T>(of: readonly T[]): T {
    return of[this.random.int(of.length)]!
  }
}
