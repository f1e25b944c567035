import type { GrpcClient } from '../clients/client.ts'
import { type ClientSettings, forConsumer, forProducer } from '../clients/settings.ts'
import { GrpcError, GrpcStatus } from '../grpc/grpc-error.ts'
import { bothWays, type CallContext, type Duplex } from '../grpc/method.ts'
import { groupOf, topicOf } from '../message/checks.ts'
import { okStatus, Refused, statusOf } from '../refused.ts'
import type { Brokers } from '../remote/brokers.ts'
import type { SettingsDraft } from '../v2/shared.ts'
import { TelemetryCommand, type TelemetryDraft, type TelemetryValue } from '../v2/telemetry.ts'
import type { Ground } from './ground.ts'
import { tellBrokers } from './tell-brokers.ts'

type Needs = Pick<Ground, 'users' | 'clients' | 'groups' | 'questions' | 'config' | 'clock'>
/** Topics of one client: for each of them its brokers are looked up at each heartbeat. */
const maxTopics = 1000

type Stream = Duplex<TelemetryValue, TelemetryDraft>

/** The stream of a client: its settings go up and come back, and the server's commands come down. */
export const telemetry = (needs: Needs) =>
  bothWays('Telemetry', { request: TelemetryCommand, response: TelemetryCommand }, (stream: Stream, context) => {
    // Watched once, however often its settings come.
    let client: GrpcClient | undefined
    stream.onClosed(() => {
      if (client?.stream === stream) client.stream = undefined
    })
    stream.onMessage(async command => {
      try {
        if (command.settings === undefined) needs.questions.take(stream, command)
        else {
          const settings = command.settings as ClientSettings
          client = clientOf(settings, { needs, context })
          client.stream = stream
          const { brokers } = needs.users.of(context)
          // Brokers that cannot be told now are told by the heartbeats; the client need not wait for them.
          await tellBrokers(client, brokers).catch(() => {})
          stream.send({ status: okStatus, settings: await merged(settings, brokers, needs) })
        }
      } catch (error) {
        if (error instanceof GrpcError) throw error
        if (error instanceof Refused) throw new GrpcError(GrpcStatus.invalidArgument, error.message)
        stream.send({ status: statusOf(error) })
      }
    })
  })

/** Whose settings they are; it has them from now on. Throws GrpcError, Refused. */
function clientOf(
  settings: ClientSettings,
  { needs, context }: { readonly needs: Needs; readonly context: CallContext },
): GrpcClient {
  const { publishing, subscription } = settings
  if (publishing === undefined && subscription === undefined)
    throw new GrpcError(GrpcStatus.invalidArgument, 'settings have publishing or subscription')
  const topics = (publishing?.topics?.length ?? 0) + (subscription?.subscriptions?.length ?? 0)
  if (topics > maxTopics)
    throw new GrpcError(GrpcStatus.invalidArgument, `settings with ${topics} topics: at most ${maxTopics} are taken`)
  for (const topic of publishing?.topics ?? []) topicOf(topic)
  if (subscription !== undefined) groupOf(subscription.group)
  for (const { topic } of subscription?.subscriptions ?? []) topicOf(topic)
  const client = needs.clients.get(context, needs.users.of(context))
  needs.clients.set(client, settings)
  return client
}

async function merged(settings: ClientSettings, brokers: Brokers, { groups, config }: Needs): Promise<SettingsDraft> {
  const { subscription } = settings
  if (subscription === undefined) return forProducer(settings, config)
  const topic = subscription.subscriptions?.[0]?.topic?.name ?? ''
  const facts = await groups.facts(subscription.group?.name ?? '', topic, brokers).catch(() => groups.unknown)
  return forConsumer(settings, facts, config)
}
