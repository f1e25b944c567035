import { RemotingClient } from '@skua-mq/remoting'
import {
  type Address,
  defineEvent,
  type Events,
  type Http2,
  type Runtime,
  type Service,
  type TlsClient,
  type TlsServer,
} from '@skua-mq/runtime'
import { Background } from './background.ts'
import { ackMessage, changeInvisibleDuration, forwardToDeadLetters } from './calls/ack.ts'
import { endTransaction } from './calls/end-transaction.ts'
import type { Ground } from './calls/ground.ts'
import { heartbeat, notifyClientTermination } from './calls/presence.ts'
import { recallMessage } from './calls/recall.ts'
import { receiveMessage } from './calls/receive.ts'
import { queryAssignment, queryRoute } from './calls/route.ts'
import { sendMessage } from './calls/send.ts'
import { settler } from './calls/settle.ts'
import { telemetry } from './calls/telemetry.ts'
import { Checks } from './clients/checks.ts'
import type { GrpcClient } from './clients/client.ts'
import { ClientTable } from './clients/client-table.ts'
import { HalfMessages } from './clients/half-messages.ts'
import { Membership } from './clients/membership.ts'
import { Questions } from './clients/questions.ts'
import { Renewals } from './clients/renewals.ts'
import { retryDelayMs, retryPolicyOf } from './clients/settings.ts'
import { type SecretOf, Users } from './clients/users.ts'
import { GrpcServer } from './grpc/server.ts'
import type { GatewayConfig } from './options.ts'
import { Groups } from './remote/groups.ts'
import { Routes } from './remote/routes.ts'
import { TopicTypes } from './remote/topic-types.ts'

/** A call failed for a reason that is ours. */
export const grpcCallFailed = defineEvent<{ path: string; error: unknown }>('gRPC call failed', 'error')

export interface GatewayParts {
  readonly config: GatewayConfig
  readonly runtime: Pick<Runtime, 'clock' | 'net' | 'turn' | 'events'>
  readonly http2: Http2
  /** host:port of each. */
  readonly nameServers: readonly string[]
  /** Of the port for gRPC. Default: both, with a self-signed certificate. */
  readonly tls?: TlsServer | undefined
  /** Secret keys of accounts, where calls must be signed. Default: nobody is asked who he is. */
  readonly secretOf?: SecretOf | undefined
  /** Towards brokers and name servers. Default: plain. */
  readonly tlsClient?: TlsClient | undefined
}

/** The endpoint of RocketMQ 5 for gRPC clients, before brokers that speak remoting. */
export class Gateway implements Service {
  readonly name = 'gateway'
  private readonly parts: GatewayParts
  private readonly remoting: RemotingClient
  private readonly users: Users
  private readonly questions: Questions
  private readonly clients: ClientTable
  private readonly renewals: Renewals
  private readonly background = new Background()
  private readonly server: GrpcServer

  constructor(parts: GatewayParts) {
    this.parts = parts
    const { config, nameServers } = parts
    const { clock, net, turn, events } = parts.runtime
    const remoting = { net, clock, turn, events, tls: parts.tlsClient }
    this.remoting = new RemotingClient(remoting)
    const routes = new Routes({ remoting: this.remoting, clock, nameServers, keepMs: config.grpcRouteCacheMs })
    this.questions = new Questions(clock)
    this.users = new Users({ remoting, routes, secretOf: parts.secretOf })
    const groups = new Groups(clock)
    const halves = new HalfMessages(clock)
    this.renewals = renewalsOf({ parts, groups })
    const checks = new Checks({ halves })
    const questions = this.questions
    this.clients = new ClientTable({
      ...{ clock, idleMs: config.grpcClientIdleTimeMills, most: config.grpcMaxClients },
      join: (clientId, language, { sign }) =>
        new Membership({
          clientId,
          language,
          net,
          clock,
          turn,
          tls: parts.tlsClient,
          sign,
          questions,
          onCheck: (check, asked) => checks.take(check, asked),
        }),
      left: client => this.left(client),
    })
    const types = new TopicTypes({ clock, untyped: config.untypedTopic })
    this.server = serverOf(parts, {
      ...{ clock, config, users: this.users, groups, types, halves, clients: this.clients, renewals: this.renewals },
      ...{ background: this.background, questions, port: () => this.address.port },
    })
  }

  /** Where it listens; the configured place before it does. */
  get address(): Address {
    const { grpcBindAddress: host, grpcServerPort: port } = this.parts.config
    return this.server.address ?? { host, port }
  }

  /** Whether it takes calls. */
  get isOpen(): boolean {
    return this.server.address !== undefined
  }

  async start(): Promise<void> {
    await this.server.start()
    this.clients.start()
    this.renewals.start()
  }

  /** First nobody comes in any more, then goes back what clients hold. */
  async stop(): Promise<void> {
    await this.server.stop()
    this.renewals.stop()
    this.questions.stop()
    await this.clients.stop()
    await this.background.settled()
    await this.users.close()
    await this.remoting.close()
  }

  private async left(client: GrpcClient): Promise<void> {
    await this.renewals.release(client)
    await client.membership.leave()
  }
}

function renewalsOf({ parts, groups }: { parts: GatewayParts; groups: Groups }): Renewals {
  const { config, runtime } = parts
  return new Renewals({
    ...{ clock: runtime.clock, config },
    change: (renewed, ms) => settler(renewed.brokers, renewed).change(renewed.handle, ms),
    // Two steps on: what was worked on for hours is not a quick failure.
    retryMs: async renewed => {
      const policy = retryPolicyOf(await groups.facts(renewed.group, renewed.topic, renewed.brokers))
      return retryDelayMs(policy, renewed.attempt + 2)
    },
  })
}

function serverOf({ config, runtime, http2, tls }: GatewayParts, ground: Ground): GrpcServer {
  const { clock, events } = runtime
  return new GrpcServer({
    ...{ http2, clock, tls: tls ?? { mode: 'permissive' } },
    listen: { host: config.grpcBindAddress, port: config.grpcServerPort },
    methods: [
      ...[queryRoute(ground), queryAssignment(ground), sendMessage(ground), receiveMessage(ground)],
      ...[ackMessage(ground), changeInvisibleDuration(ground), forwardToDeadLetters(ground)],
      ...[
        endTransaction(ground),
        recallMessage(ground),
        heartbeat(ground),
        notifyClientTermination(ground),
        telemetry(ground),
      ],
    ],
    limits: {
      maxConnections: config.grpcMaxConnections,
      maxStreams: config.grpcMaxStreams,
      maxMessageBytes: config.grpcMaxMessageBytes,
      maxCarryBytes: config.grpcMaxCarryBytes,
      maxUnsentBytes: config.grpcMaxUnsentBytes,
      maxOwedBytes: config.grpcMaxOwedBytes,
      maxCalls: config.grpcMaxCalls,
    },
    failed: (path, error) => failedTo(events, path, error),
  })
}

const failedTo = (events: Events, path: string, error: unknown) => events.emit(grpcCallFailed({ path, error }))
