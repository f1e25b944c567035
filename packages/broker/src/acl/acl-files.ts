import type { DataVersion } from '@skua-mq/protocol'
import {
  ConfigFile,
  type Disk,
  defineEvent,
  type Events,
  every,
  Failure,
  type Runtime,
  type Timer,
} from '@skua-mq/runtime'
import { AclFile, type AclFileContent } from './acl-file.ts'
import { AclRules } from './acl-rules.ts'

export const aclLoaded = defineEvent<{ files: string; accounts: number }>('access control read', 'info')
export const aclEmpty = defineEvent<{ path: string; remark: string }>('access control lets nobody in', 'warn')
export const aclNotRead = defineEvent<{ error: string; remark: string }>('access control not read again', 'error')

/** How often it is looked whether a file was changed. */
export const aclWatchMs = 500

/** A file of accounts is no larger: it is read in one turn. */
const maxFileBytes = 8 * 1024 * 1024

/** `conf/plain_acl.yml` of a directory, and all `.yml` and `.yaml` under its `conf/acl`; read again when they change. */
export class AclFiles {
  rules = new AclRules([])
  readonly mainPath: string
  private readonly directory: string
  private readonly disk: Disk
  private readonly events: Events
  private readonly clock: Runtime['clock']
  private contents: ReadonlyMap<string, AclFileContent> = new Map()
  private seen = ''
  private timer: Timer | undefined

  constructor(home: string, { disk, events, clock }: Pick<Runtime, 'disk' | 'events' | 'clock'>) {
    this.mainPath = `${home}/conf/plain_acl.yml`
    this.directory = `${home}/conf/acl`
    this.disk = disk
    this.events = events
    this.clock = clock
  }

  /** Throws Failure ECONFIG with file and line: a broker that was asked for access control does not start without. */
  load(): void {
    this.seen = this.print()
    this.read()
    if (this.rules.accountCount > 0) return
    const remark = `put accounts into ${this.mainPath}: they are read while the broker runs`
    this.events.emit(aclEmpty({ path: this.mainPath, remark }))
  }

  start(): void {
    this.timer = every(this.clock, aclWatchMs, () => this.look())
  }

  stop(): void {
    this.timer?.cancel()
  }

  /** Versions of the files by path. */
  versions(): ReadonlyMap<string, DataVersion> {
    return new Map([...this.contents].map(([path, { version }]) => [path, version]))
  }

  /** The file that an account stands in. */
  pathOf(accessKey: string): string | undefined {
    for (const [path, { accounts }] of this.contents) {
      if (accounts.some(account => account.accessKey === accessKey)) return path
    }
    return undefined
  }

  has(path: string): boolean {
    return this.contents.has(path)
  }

  /** Changes a file on disk, then what is asked. Throws Failure ECONFIG where the result would not read; it is not written then. */
  change(path: string, edit: (file: AclFile) => void): void {
    const file = new AclFile(path, this.textOf(path))
    edit(file)
    const text = file.print(this.clock.now())
    new AclFile(path, text).content()
    new ConfigFile(path, { disk: this.disk, events: this.events, isSecret: true }).save(Buffer.from(text))
    this.seen = this.print()
    this.read()
  }

  private read(): void {
    const contents = new Map<string, AclFileContent>()
    for (const path of this.paths()) contents.set(path, new AclFile(path, this.textOf(path)).content())
    this.contents = contents
    this.rules = new AclRules([...contents.values()])
    this.events.emit(aclLoaded({ files: [...contents.keys()].join(' '), accounts: this.rules.accountCount }))
  }

  private look(): void {
    try {
      const print = this.print()
      if (print === this.seen) return
      this.seen = print
      this.read()
    } catch (error) {
      const remark = 'what was read before goes on to hold'
      this.events.emit(aclNotRead({ error: String((error as Error).message), remark }))
    }
  }

  private textOf(path: string): string {
    const size = this.disk.stat(path)?.size
    if (size === undefined) return ''
    if (size > maxFileBytes) throw new Failure('ECONFIG', `${path} has ${size} bytes, at most ${maxFileBytes} are read`)
    return this.disk.readFile(path).toString()
  }

  private paths(): string[] {
    const main = this.disk.stat(this.mainPath) === undefined ? [] : [this.mainPath]
    return [...main, ...this.under(this.directory)]
  }

  private under(directory: string): string[] {
    return this.disk.list(directory).flatMap(name => {
      const path = `${directory}/${name}`
      if (/\.ya?ml$/.test(name)) return [path]
      return this.disk.stat(path)?.directory === true ? this.under(path) : []
    })
  }

  /** Another one whenever a file was changed, came or went. */
  private print(): string {
    return this.paths()
      .map(path => {
        const stat = this.disk.stat(path)
        return `${path} ${stat?.size} ${stat?.modifiedAtMs}`
      })
      .join('\n')
  }
}
