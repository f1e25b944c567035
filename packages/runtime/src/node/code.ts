/** The system's name of an error (ENOENT, ECONNRESET); EUNKNOWN for an error without one. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === 'string' ? code : 'EUNKNOWN'
}

const reasons: Record<string, string> = {
  EADDRINUSE: 'the address is in use',
  EADDRNOTAVAIL: 'no such address on this machine',
  EACCES: 'not permitted',
  ECONNREFUSED: 'refused',
}

/** What went wrong with a port or a connection, for people. */
export function reasonOf(error: Error): string {
  const code = codeOf(error)
  return reasons[code] ? `${reasons[code]} (${code})` : code === 'EUNKNOWN' ? error.message : code
}
