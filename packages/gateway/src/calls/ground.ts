import type { Clock } from '@skua-mq/runtime'
import type { Background } from '../background.ts'
import type { GrpcClient } from '../clients/client.ts'
import type { ClientTable } from '../clients/client-table.ts'
import type { HalfMessages } from '../clients/half-messages.ts'
import type { Questions } from '../clients/questions.ts'
import type { Renewals } from '../clients/renewals.ts'
import type { User, Users } from '../clients/users.ts'
import type { CallContext } from '../grpc/method.ts'
import type { GatewayConfig } from '../options.ts'
import { statusOf } from '../refused.ts'
import type { Groups } from '../remote/groups.ts'
import type { TopicTypes } from '../remote/topic-types.ts'
import type { StatusDraft } from '../v2/shared.ts'

/** What the methods of the service are made of; each takes what it uses. */
export interface Ground {
  readonly clock: Clock
  readonly config: GatewayConfig
  readonly users: Users
  readonly groups: Groups
  readonly types: TopicTypes
  readonly clients: ClientTable
  readonly halves: HalfMessages
  readonly renewals: Renewals
  readonly background: Background
  readonly questions: Questions
  /** Where clients of gRPC find this server. */
  readonly port: () => number
}

/** Who asks, and how. */
export interface Asking {
  readonly context: CallContext
  readonly user: User
  /** Undefined before its settings have come. */
  readonly client: GrpcClient | undefined
}

/** An answer with a status: whatever goes wrong becomes that of the answer, and gRPC's own stays OK. */
export const answered =
  <Q, A extends { status?: StatusDraft | undefined }>(
    { users, clients }: Pick<Ground, 'users' | 'clients'>,
    work: (request: Q, asking: Asking) => Promise<A>,
  ) =>
  async (request: Q, context: CallContext): Promise<A> => {
    try {
      const user = users.of(context)
      return await work(request, { context, client: clients.find(context, user), user })
    } catch (error) {
      return { status: statusOf(error) } as A
    }
  }
