import type { Command, Dialect, HeaderScan } from '@skua-mq/protocol'
import { type Connection, type FullGate, type Refusal, refuse } from '@skua-mq/remoting'
import { defineEvent, type Events } from '@skua-mq/runtime'
import type { AclFiles } from './acl-files.ts'

export const aclRefused = defineEvent<{ peer: string; code: number; reason: string }>('request refused', 'warn')

/** Clients show the remark; some look for the name of Java's exception in it. */
const exception = 'org.apache.rocketmq.acl.common.AclException'

/** One line for all that a connection is refused in a while: whoever is refused tries again. */
const quietMs = 10_000

export class AclGate implements FullGate {
  private readonly files: AclFiles
  private readonly events: Events
  private readonly now: () => number
  private readonly code: Refusal['code']
  private readonly toldAtMs = new WeakMap<Connection, number>()

  constructor(
    files: AclFiles,
    { events, now, dialect }: { events: Events; now: () => number; dialect: Pick<Dialect, 'aclRefusal'> },
  ) {
    this.files = files
    this.events = events
    this.now = now
    this.code = dialect.aclRefusal as Refusal['code']
  }

  guards({ remote }: Connection): boolean {
    return !this.files.rules.trusts(remote.host)
  }

  admit(command: Command, connection: Connection): Refusal | undefined {
    const reason = this.reasonOf(command, connection)
    if (reason === undefined) return undefined
    this.tell(command, connection, reason)
    return refuse(this.code, `${exception}: ${reason}`)
  }

  lets(scan: HeaderScan, { remote }: Connection): boolean {
    return this.files.rules.lets(scan, remote.host)
  }

  private reasonOf(command: Command, { remote }: Connection): string | undefined {
    try {
      return this.files.rules.refusalOf(command, remote.host)
    } catch (error) {
      // A body that does not read says not what it takes.
      if (error instanceof SyntaxError || error instanceof RangeError) return error.message
      throw error
    }
  }

  private tell({ code }: Command, connection: Connection, reason: string): void {
    const now = this.now()
    if (now - (this.toldAtMs.get(connection) ?? Number.NEGATIVE_INFINITY) < quietMs) return
    this.toldAtMs.set(connection, now)
    const peer = `${connection.remote.host}:${connection.remote.port}`
    this.events.emit(aclRefused({ peer, code, reason }))
  }
}
