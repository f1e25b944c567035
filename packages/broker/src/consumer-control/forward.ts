import { type Command, type RequestSpec, ResponseCode, VersionThreshold } from '@skua-mq/protocol'
import { type Answer, type Refusal, refuse } from '@skua-mq/remoting'
import { NetError } from '@skua-mq/runtime'
import type { ConsumerGroups, Member } from '../client-table/consumer-groups.ts'

/** How long a client may take for an answer to a tool (remoting.md 13). */
export const forwardTimeoutMs = 10_000

/** The member of a group with this client id, or why it cannot be asked. */
export function memberFor(consumers: ConsumerGroups, group: string, clientId: string): Member | Refusal {
  const members = [...(consumers.find(group)?.members.values() ?? [])]
  const member = members.find(one => one.clientId === clientId)
  if (member === undefined) return refuse(ResponseCode.systemError, `The Consumer <${group}> <${clientId}> not online`)
  if (member.version < VersionThreshold.runningInfo)
    return refuse(
      ResponseCode.systemError,
      `The Consumer <${group}> <${clientId}> of version ${member.version} cannot answer that`,
    )
  return member
}

/**
 * Hands a tool's request to a client with all its fields, signature included, and the client's answer back as it is.
 * 207 when it does not answer in time.
 */
export async function forward(
  request: RequestSpec,
  to: Member,
  command: { extFields: Record<string, string>; body?: Uint8Array | undefined },
): Promise<Answer<Record<string, never>> | Refusal> {
  try {
    const reply: Command = await to.connection.call({ code: request.code, ...command }, forwardTimeoutMs)
    const { extFields: extra, body, remark } = reply
    return {
      code: reply.code as ResponseCode,
      header: {},
      extra,
      body: body === undefined ? undefined : Buffer.from(body),
      remark,
    }
  } catch (error) {
    const isLate = error instanceof NetError && error.code === 'ETIMEOUT'
    const code = isLate ? ResponseCode.consumeMessageTimeout : ResponseCode.systemError
    return refuse(code, `the client ${to.clientId} did not answer: ${(error as Error).message}`)
  }
}
