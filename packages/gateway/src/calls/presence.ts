import { unary } from '../grpc/method.ts'
import { okStatus, Refused } from '../refused.ts'
import { Code } from '../v2/code.ts'
import { HeartbeatRequest, NotifyClientTerminationRequest, StatusResponse } from '../v2/requests.ts'
import { answered, type Ground } from './ground.ts'
import { tellBrokers } from './tell-brokers.ts'

type Needs = Pick<Ground, 'users' | 'clients'>

/** A client is still there. */
export const heartbeat = (needs: Needs) =>
  unary(
    'Heartbeat',
    { request: HeartbeatRequest, response: StatusResponse },
    answered(needs, async (_request, { client, user }) => {
      if (client?.settings === undefined)
        throw new Refused(Code.unrecognizedClientType, 'cannot find client settings: they go by Telemetry first')
      await tellBrokers(client, user.brokers)
      return { status: okStatus }
    }),
  )

/** A client leaves. */
export const notifyClientTermination = (needs: Needs) =>
  unary(
    'NotifyClientTermination',
    { request: NotifyClientTerminationRequest, response: StatusResponse },
    answered(needs, async (_request, { client }) => {
      if (client !== undefined) await needs.clients.end(client)
      return { status: okStatus }
    }),
  )
