import { type ClientConnection, languageName } from '@skua-mq/protocol'
import type { Connection } from '@skua-mq/remoting'

/** Who sends a heartbeat. */
export interface Client {
  readonly clientId: string
  readonly connection: Connection
  /** Number of remoting.md 3.1; undefined for one that nobody knows. */
  readonly language: number | undefined
  readonly version: number
  /** Of what it last said in full of itself, where it beats in the short way (34 of 5.x); 0 where it does not. */
  readonly fingerprint?: number | undefined
}

export const addressOf = ({ connection }: Client): string => `${connection.remote.host}:${connection.remote.port}`

export const languageOf = ({ language }: Client): string | undefined =>
  language === undefined ? undefined : languageName(language)

/** As operator tools see it (203, 204). */
export function connectionOf(client: Client): ClientConnection {
  return {
    clientId: client.clientId,
    clientAddr: addressOf(client),
    language: languageOf(client),
    version: client.version,
  }
}
