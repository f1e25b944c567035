import { type Disk, Failure, type ProcessFacts } from '@skua-mq/runtime'
import type { Layout } from '../file/layout.ts'

interface Owner {
  readonly pid: number
  readonly startedAt: string
  readonly bootId: string
}

/**
 * Says who has the store open. An owner counts as long as the machine runs since, and a process of that pid and start
 * time lives; our own pid never does, since it is the same after every start in a container. A Java broker is found by
 * the fcntl lock it holds on `lock`. Java cannot see ours.
 */
export class StoreLock {
  private readonly disk: Disk
  private readonly layout: Layout
  private readonly facts: ProcessFacts

  constructor(parts: { disk: Disk; layout: Layout; facts: ProcessFacts }) {
    this.disk = parts.disk
    this.layout = parts.layout
    this.facts = parts.facts
  }

  /** Throws ESTORELOCKED when another process has the store open. */
  acquire(): void {
    const { facts, layout, disk } = this
    const java = facts.lockHolder(layout.javaLock)
    if (java !== undefined && java !== facts.pid) throw locked(layout.root, `a Java broker with pid ${java}`)
    const owner = this.read()
    if (owner !== undefined && this.lives(owner)) throw locked(layout.root, `pid ${owner.pid}`)
    disk.writeFile(layout.owner, Buffer.from(JSON.stringify(this.self())))
  }

  release(): void {
    if (this.read()?.pid === this.facts.pid) this.disk.remove(this.layout.owner)
  }

  private self(): Owner {
    const { pid, bootId } = this.facts
    return { pid, startedAt: this.facts.startedAt(pid) ?? '', bootId }
  }

  private lives(owner: Owner): boolean {
    const { facts } = this
    if (owner.pid === facts.pid || owner.bootId !== facts.bootId) return false
    return facts.startedAt(owner.pid) === owner.startedAt
  }

  private read(): Owner | undefined {
    if (this.disk.stat(this.layout.owner) === undefined) return undefined
    try {
      return JSON.parse(this.disk.readFile(this.layout.owner).toString('utf8')) as Owner
    } catch (error) {
      // A torn file says nothing about an owner: its writer did not live to hold the store.
      if (error instanceof SyntaxError) return undefined
      throw error
    }
  }
}

function locked(root: string, by: string): Failure {
  return new Failure('ESTORELOCKED', `the store ${root} is open in another process (${by})`)
}
