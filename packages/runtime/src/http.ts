import type { Address } from './net.ts'

export interface HttpRequest {
  readonly method: string
  /** Without the query. */
  readonly path: string
}

export interface HttpAnswer {
  readonly status: number
  /** Content-Type */
  readonly type: string
  /**
   * Whole, or in pieces: the next one is asked for when the client has taken the one before. One that throws ends the
   * connection, so that nobody takes a part for the whole; one whose client is gone is left (`return`).
   */
  readonly body: string | AsyncIterable<string>
}

export interface HttpListener {
  readonly address: Address
  /** Ends all connections; the port is free when it resolves. */
  close(): Promise<void>
}

/** A small HTTP server for those who look after this one. GET and HEAD only, no TLS; all it holds is bounded. */
export interface Http {
  /** Port 0 finds a free one. Errors: NetError, as of `Net.listen`. */
  listen(at: Address, answer: (request: HttpRequest) => HttpAnswer): Promise<HttpListener>
}
