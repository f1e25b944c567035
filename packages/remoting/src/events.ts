import { defineEvent } from '@skua-mq/runtime'

export const badFrame = defineEvent<{ peer: string; reason: string }>('bad frame, connection closed', 'warn')
export const tlsNotConfigured = defineEvent<{ peer: string }>(
  'TLS handshake refused: tls.server.mode is disabled here',
  'warn',
)
export const connectionLimit = defineEvent<{ peer: string; limit: string; value: number }>(
  'connection closed at a limit',
  'warn',
)
export const handlerFailed = defineEvent<{ code: number; peer: string; error: unknown }>(
  'request handler failed',
  'error',
)
export const listening = defineEvent<{ name: string; host: string; port: number }>('listening', 'debug')
