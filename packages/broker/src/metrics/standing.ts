import { Perm } from '@skua-mq/protocol'
import type { MessageStore } from '@skua-mq/store'

export interface StandingParts {
  readonly store: Pick<MessageStore, 'figures' | 'refusing'>
  readonly config: { readonly brokerPermission: number }
  /** Whether a name server has taken this broker's registration, or it has none to tell. */
  readonly isRegistered: () => boolean
}

/** An answer to whoever looks after processes. */
export interface Standing {
  readonly ok: boolean
  /** Figures and words, for a JSON object. */
  readonly body: Readonly<Record<string, unknown>>
}

type Phase = 'starting' | 'serving' | 'stopping'

/** Whether the broker can serve, and whether clients should be sent to it. */
export class BrokerStanding {
  phase: Phase = 'starting'
  private readonly parts: StandingParts

  constructor(parts: StandingParts) {
    this.parts = parts
  }

  /** It can serve while messages can be taken or read. */
  health(): Standing {
    const { store, config } = this.parts
    const { isOpen, cause } = store.figures
    const readable = isOpen && (config.brokerPermission & Perm.read) !== 0
    const writable = store.refusing === undefined && (config.brokerPermission & Perm.write) !== 0
    const why = store.refusing?.remark ?? `brokerPermission is ${config.brokerPermission}`
    const status = writable && readable ? 'ok' : writable ? 'write-only' : readable ? 'read-only' : 'failing'
    return {
      ok: readable || writable,
      body: { status, readable, writable, ...(status === 'ok' ? {} : { cause: cause ?? 'refused', remark: why }) },
    }
  }

  /** It answers, and clients can find it. */
  ready(): Standing {
    const remark = this.unready()
    return remark === undefined
      ? { ok: true, body: { status: 'ready' } }
      : { ok: false, body: { status: 'not ready', remark } }
  }

  private unready(): string | undefined {
    if (this.phase !== 'serving') return `the broker is ${this.phase}`
    const health = this.health()
    if (!health.ok) return String(health.body['remark'])
    return this.parts.isRegistered() ? undefined : 'no name server has taken the registration yet'
  }
}
