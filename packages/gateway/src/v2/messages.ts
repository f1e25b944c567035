import type { ProtoFields, ProtoMessage } from '../proto/message.ts'
import * as requests from './requests.ts'
import * as shared from './shared.ts'
import * as telemetry from './telemetry.ts'

/** All messages of the protocol that this server knows: tests compare them with those of the clients. */
export const protocolMessages: readonly ProtoMessage<ProtoFields>[] = [
  ...Object.values(shared),
  ...Object.values(requests),
  ...Object.values(telemetry),
] as never
