import { type Disk, Failure, type ProcessFacts } from '@skua-mq/runtime'
import type { Layout } from '../file/layout.ts'

interface Owner {
  readonly pid: number
  readonly startedAt: string
  readonly bootId: string
  /** Which run of the process; stores of before did not say. */
  readonly instance?: string
}

/**
 * Says who has the store open. An owner counts as long as the machine runs since, and a process of that pid and start
 * time lives. Our own pid may be that of another process before, since it is the same after every start in a container:
 * there the instance tells. A Java broker is found by the fcntl lock it holds on `lock`. Java cannot see ours.
 */
export class StoreLock {
  private readonly disk: Disk
  private readonly layout: Layout
  private readonly facts: ProcessFacts
  private isHeld = false

  constructor(parts: { disk: Disk; layout: Layout; facts: ProcessFacts }) {
    this.disk = parts.disk
    this.layout = parts.layout
    this.facts = parts.facts
  }

  /** Throws ESTORELOCKED when somebody else has the store open, in this process or in another. */
  acquire(): void {
    const { facts, layout, disk } = this
    const java = facts.lockHolder(layout.javaLock)
    if (java !== undefined && java !== facts.pid)
      throw locked(layout.root, `in another process (a Java broker with pid ${java})`)
    try {
      this.makeOrTakeOver()
    } catch (error) {
      if ((error as { code?: string }).code !== 'ENOSPC') throw error
      // On a full disk, which a start may be about to make room on, the file of the dead is written over.
      this.refuseLiving(layout.owner)
      disk.writeFile(layout.owner, this.self())
    }
    this.isHeld = true
    try {
      disk.syncDirectory(layout.root)
    } catch (error) {
      this.release()
      throw error
    }
  }

  /** Whoever makes the file has the store: of two that find none, or one of the dead, the second fails. */
  private makeOrTakeOver(): void {
    const { owner, root } = this.layout
    if (this.make(owner)) return
    this.takeOver()
    if (!this.make(owner)) throw locked(root, this.whereOf(this.read(owner)))
  }

  release(): void {
    if (!this.isHeld) return
    this.isHeld = false
    this.disk.remove(this.layout.owner)
  }

  /** Removes the file of an owner that is dead, while nobody else looks at it: it could be of a living one by then. */
  private takeOver(): void {
    const { layout, disk } = this
    const guard = `${layout.owner}.takeover`
    this.refuseLiving(layout.owner)
    if (!this.make(guard)) {
      this.refuseLiving(guard)
      disk.remove(guard)
      if (!this.make(guard)) throw locked(layout.root, this.whereOf(this.read(guard)))
    }
    try {
      this.refuseLiving(layout.owner)
      disk.remove(layout.owner)
    } finally {
      disk.remove(guard)
    }
  }

  private make(path: string): boolean {
    return this.disk.createFile(path, this.self())
  }

  private self(): Buffer {
    const { pid, bootId, instance } = this.facts
    const self: Owner = { pid, startedAt: this.facts.startedAt(pid) ?? '', bootId }
    return Buffer.from(JSON.stringify(instance === undefined ? self : { ...self, instance }))
  }

  private refuseLiving(path: string): void {
    const owner = this.read(path)
    if (owner !== undefined && this.lives(owner)) throw locked(this.layout.root, this.whereOf(owner))
  }

  private whereOf(owner: Owner | undefined): string {
    if (owner === undefined) return 'in another process'
    return owner.pid === this.facts.pid ? 'in this process' : `in another process (pid ${owner.pid})`
  }

  private lives(owner: Owner): boolean {
    const { facts } = this
    if (owner.bootId !== facts.bootId) return false
    if (owner.pid === facts.pid) return owner.instance !== undefined && owner.instance === facts.instance
    return facts.startedAt(owner.pid) === owner.startedAt
  }

  private read(path: string): Owner | undefined {
    if (this.disk.stat(path) === undefined) return undefined
    try {
      return JSON.parse(this.disk.readFile(path).toString('utf8')) as Owner
    } catch (error) {
      // A torn file says nothing about an owner: its writer did not live to hold the store. Or it went meanwhile.
      if (error instanceof SyntaxError || (error as { code?: string }).code === 'ENOENT') return undefined
      throw error
    }
  }
}

function locked(root: string, where: string): Failure {
  return new Failure('ESTORELOCKED', `the store ${root} is open ${where}`)
}
