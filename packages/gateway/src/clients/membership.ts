import {
  type ConsumerData,
  checkTransactionState,
  heartBeat,
  notifyConsumerIdsChanged,
  ResponseCode,
  readRecord,
  type StoredMessage,
  unregisterClient,
} from '@skua-mq/protocol'
import { noReply, RemotingClient, type Route, route } from '@skua-mq/remoting'
import type { Address, Clock, Net, TlsClient, Turn } from '@skua-mq/runtime'
import { Refused, refusedBy } from '../refused.ts'
import { askedRoutes } from './asked.ts'
import type { CommandStream, Questions } from './questions.ts'
import type { Sign } from './users.ts'

export interface MembershipParts {
  readonly clientId: string
  /** Its number on the wire. */
  readonly language: number
  readonly net: Net
  readonly clock: Clock
  readonly turn: Turn
  readonly tls: TlsClient | undefined
  /** Undefined where nobody asks for it. */
  readonly sign: Sign | undefined
  readonly questions: Questions
  /** A broker asks what became of a half message. */
  readonly onCheck: (check: TransactionCheck, asked: CommandStream | undefined) => void
}

/** A broker's question about a half message. */
export interface TransactionCheck {
  readonly tranStateTableOffset: number
  readonly commitLogOffset: number
  readonly message: StoredMessage
  readonly brokerAddress: string
}

/** How long after its connection is gone a broker is told again; later heartbeats of the client do the rest. */
const againMs = 1000

/** What a client is for brokers. */
export interface Roles {
  readonly producerGroups: readonly string[]
  readonly consumer: ConsumerData | undefined
}

/**
 * A gRPC client as brokers see it: a member of its groups on connections of its own, so that tools list it under its own
 * name, and brokers notice its end as they notice anybody's.
 */
export class Membership {
  private readonly parts: MembershipParts
  private readonly remoting: RemotingClient
  private readonly told = new Set<string>()
  private hasLeft = false
  private streamOf: () => CommandStream | undefined = () => undefined
  private roles: Roles = { producerGroups: [], consumer: undefined }

  constructor(parts: MembershipParts) {
    this.parts = parts
    const { net, clock, turn, tls, language, sign } = parts
    const onGone = (address: string) => this.again(address)
    this.remoting = new RemotingClient({
      net,
      clock,
      turn,
      tls,
      language,
      routes: this.routes(),
      onGone,
      ...(sign && { sign }),
    })
  }

  /** A broker that was started anew knows nobody until it hears of us. */
  private again(address: string): void {
    if (this.hasLeft || !this.told.delete(address)) return
    this.parts.clock.after(againMs, () => {
      if (!this.hasLeft) this.beat([address]).catch(() => {})
    })
  }

  /** Where commands for the client go. */
  attach(streamOf: () => CommandStream | undefined): void {
    this.streamOf = streamOf
  }

  set(roles: Roles): void {
    this.roles = roles
  }

  /** Tells them that it is there. Throws Refused where one of them refuses, and NetError where none can be told. */
  async beat(addresses: Iterable<string>): Promise<void> {
    const { clientId } = this.parts
    const { producerGroups, consumer } = this.roles
    const body = heartBeat.body!.encode({
      clientID: clientId,
      producerDataSet: producerGroups.map(groupName => ({ groupName })),
      consumerDataSet: consumer === undefined ? [] : [consumer],
      heartbeatFingerprint: undefined,
      withoutSub: undefined,
    })
    const beats = [...addresses].map(async address => {
      const { code, remark } = await this.remoting.request(address, heartBeat, {}, { body })
      // Also where it refuses: it may know some of the groups.
      this.told.add(address)
      if (code !== ResponseCode.success) throw refusedBy(code, remark)
    })
    const failed = (await Promise.allSettled(beats)).filter(beat => beat.status === 'rejected')
    const refused = failed.find(({ reason }) => reason instanceof Refused)
    if (refused !== undefined) throw refused.reason
    // One that is away hears of it later; those that are left serve.
    if (failed[0] !== undefined && failed.length === beats.length) throw failed[0].reason
  }

  /** Tells brokers that it has left; one that does not answer notices by the closed connection. */
  async leave(): Promise<void> {
    this.hasLeft = true
    const { clientId: clientID } = this.parts
    const { producerGroups, consumer } = this.roles
    const groups = [
      ...producerGroups.map(producerGroup => ({ producerGroup })),
      ...(consumer === undefined ? [] : [{ consumerGroup: consumer.groupName }]),
    ]
    const left = [...this.told].flatMap(address =>
      groups.map(each => this.remoting.request(address, unregisterClient, { clientID, ...each }, { timeoutMs: 1000 })),
    )
    await Promise.allSettled(left)
    await this.remoting.close()
  }

  private routes(): readonly Route[] {
    const { clock, questions } = this.parts
    const startedAtMs = clock.now()
    const [roles, stream] = [() => this.roles, () => this.streamOf()]
    return [
      ...askedRoutes({ clock, startedAtMs, questions, roles, stream }),
      // Queues are not divided among those who pop.
      route(notifyConsumerIdsChanged, () => noReply),
      route(checkTransactionState, ({ tranStateTableOffset, commitLogOffset }, { body, connection }) => {
        const message = readRecord(body)?.message
        if (message !== undefined)
          this.parts.onCheck(
            { tranStateTableOffset, commitLogOffset, message, brokerAddress: addressOf(connection.remote) },
            this.streamOf(),
          )
        return noReply
      }),
    ]
  }
}

const addressOf = ({ host, port }: Address): string => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)
