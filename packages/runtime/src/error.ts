/**
 * IO broke. `code` is stable (the system's, e.g. ENOSPC, or ours, e.g. ETIMEOUT); `retriable` says whether trying the
 * same again may help, and is set where the error is born.
 */
export class Failure extends Error {
  readonly code: string
  readonly retriable: boolean
  constructor(code: string, message: string, options: { cause?: unknown; retriable?: boolean } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'Failure'
    this.code = code
    this.retriable = options.retriable ?? false
  }
}

/** A failed call of `Disk`. */
export class DiskError extends Failure {
  readonly path: string
  constructor(code: string, path: string, cause?: unknown) {
    super(code, `${code}: ${path}`, { cause, retriable: code === 'ENOSPC' || code === 'EAGAIN' })
    this.name = 'DiskError'
    this.path = path
  }
}

/**
 * What a disk says of one place that it does not give, or gives damaged, while others can be read. ENOENT: a file that somebody removed.
 * Not EACCES, which whoever runs the broker can mend: all wait for that, and a start is refused.
 */
const placeCodes: ReadonlySet<string> = new Set(['EIO', 'EBADMSG', 'EUCLEAN', 'EREMOTEIO', 'ENODATA', 'ENOENT'])

/**
 * Whether a read failed for what lies at its place. Who reads one thing after another goes on behind it; any other failure, as of
 * too few descriptors, is of all that would be read next.
 */
export const isBadPlace = (error: unknown): error is DiskError =>
  error instanceof DiskError && placeCodes.has(error.code)

/** Code of a `NetError` when the two sides do not agree about TLS: trying again does not help. */
export const tlsErrorCode = 'ETLS'

/** Code of a `NetError` for an address that is none. */
export const addressErrorCode = 'EADDRESS'

/** A failed call of `Net`. */
export class NetError extends Failure {
  constructor(code: string, message: string, cause?: unknown) {
    super(code, message, { cause, retriable: code !== tlsErrorCode && code !== addressErrorCode })
    this.name = 'NetError'
  }
}

/** A port cannot be listened on. */
export class ListenError extends NetError {
  readonly at: { readonly host: string; readonly port: number }
  constructor(code: string, at: ListenError['at'], { reason, cause }: { reason: string; cause?: unknown }) {
    super(code, `cannot listen on ${at.host === '' ? 'any address' : at.host}:${at.port}: ${reason}`, cause)
    this.name = 'ListenError'
    this.at = at
  }
}
