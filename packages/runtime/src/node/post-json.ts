import { createPrivateKey, X509Certificate } from 'node:crypto'
import { request as plainRequest, type RequestOptions } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { codeOf } from './code.ts'
import { untrusted } from './tls-reason.ts'

/** Of the answer to a request. */
export interface JsonAnswer {
  /** HTTP's. */
  readonly status: number
  /** Undefined where it is no JSON. */
  readonly json: unknown
  /** Its beginning, where it is no JSON. */
  readonly text?: string
}

/** PEM. */
export interface PostTls {
  /** Whoever may sign the certificate of the server; default: the authorities that Node knows. */
  readonly ca?: Uint8Array | undefined
  /** What is shown to the server, and its key. */
  readonly cert?: Uint8Array | undefined
  readonly key?: Uint8Array | undefined
}

export interface PostOptions {
  readonly timeoutMs: number
  /** Value of the header Authorization. */
  readonly authorization?: string | undefined
  /** Of https. */
  readonly tls?: PostTls | undefined
}

/** Longer answers are no answers. */
export const maxJsonAnswerBytes = 1024 * 1024

/** Posts JSON by http or https; redirections are not followed. Throws where no answer came whole within `timeoutMs`, saying to whom it was sent. */
export async function postJson(url: string, body: unknown, options: PostOptions): Promise<JsonAnswer> {
  const { origin, pathname } = new URL(url)
  const untilMs = performance.now() + options.timeoutMs
  const text = JSON.stringify(body)
  try {
    return await once(url, text, { ...options, untilMs })
  } catch (error) {
    const failure = error as Error & { readonly isStale?: true }
    if (failure.isStale !== true) throw new Error(`${origin}${pathname}: ${reasonOf(failure)}`)
    // The other side had closed the connection before it was asked on it.
    return await once(url, text, { ...options, untilMs }).catch(again => {
      throw new Error(`${origin}${pathname}: ${reasonOf(again as Error)}`)
    })
  }
}

function once(
  url: string,
  text: string,
  { untilMs, timeoutMs, authorization, tls = {} }: PostOptions & { readonly untilMs: number },
): Promise<JsonAnswer> {
  const isTls = url.startsWith('https:')
  const authority = authorization === undefined ? {} : { authorization }
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...authority }
  const { ca, cert, key } = tls
  // A connection is shared by those alone who have the same of these.
  const pem = {
    ...(ca && { ca: Buffer.from(ca) }),
    ...(cert && { cert: Buffer.from(cert) }),
    ...(key && { key: Buffer.from(key) }),
  }
  const plan: RequestOptions = { method: 'POST', headers, ...(isTls ? pem : {}) }
  return new Promise((resolve, reject) => {
    const request = (isTls ? tlsRequest : plainRequest)(url, plan)
    const timer = setTimeout(
      () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)),
      Math.max(0, untilMs - performance.now()),
    )
    const fail = (error: Error) => {
      clearTimeout(timer)
      const isStale = request.reusedSocket && codeOf(error) === 'ECONNRESET'
      reject(isStale ? Object.assign(error, { isStale }) : error)
    }
    request.on('error', fail)
    request.on('response', answer => {
      const pieces: Buffer[] = []
      let bytes = 0
      answer.on('data', (piece: Buffer) => {
        bytes += piece.length
        if (bytes > maxJsonAnswerBytes)
          request.destroy(new Error(`the answer has more than ${maxJsonAnswerBytes} bytes`))
        else pieces.push(piece)
      })
      answer.on('error', fail)
      answer.on('end', () => {
        clearTimeout(timer)
        resolve({ status: answer.statusCode ?? 0, ...parsed(Buffer.concat(pieces).toString('utf8')) })
      })
    })
    request.end(text)
  })
}

function parsed(text: string): { readonly json: unknown; readonly text?: string } {
  try {
    return { json: JSON.parse(text) }
  } catch {
    return { json: undefined, text: text.slice(0, 200).trim() }
  }
}

function reasonOf(error: Error): string {
  const code = codeOf(error)
  if (untrusted.has(code)) return `its certificate is not signed by an authority that is known here (${code})`
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `its certificate is for another name: ${error.message}`
  if (code === 'CERT_HAS_EXPIRED') return 'its certificate has expired'
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER') return `what answers there does not speak TLS (${code})`
  if (code.startsWith('ERR_SSL_') && /CERTIFICATE|UNKNOWN_CA|HANDSHAKE_FAILURE/.test(code))
    return `it refuses the certificate of this broker, or wants one (${code})`
  // A server of TLS that gets something else.
  if (error.message === 'socket hang up') return `it closed the connection without an answer (${code}): is it https?`
  return error.message || code
}

/** What is wrong with files of TLS; undefined: they can be used. */
export function postTlsProblem({
  ca,
  cert,
  key,
}: PostTls): { readonly of: keyof PostTls; readonly reason: string } | undefined {
  const tried = (of: keyof PostTls, run: () => unknown) => {
    try {
      run()
      return undefined
    } catch (error) {
      return { of, reason: (error as Error).message }
    }
  }
  const problem =
    (ca && tried('ca', () => new X509Certificate(ca))) ??
    (cert && tried('cert', () => new X509Certificate(cert))) ??
    (key && tried('key', () => createPrivateKey(Buffer.from(key))))
  if (problem || cert === undefined || key === undefined) return problem
  if (new X509Certificate(cert).checkPrivateKey(createPrivateKey(Buffer.from(key)))) return undefined
  return { of: 'key', reason: 'it does not belong to the certificate' }
}
