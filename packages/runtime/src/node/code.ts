/** The system's name of an error (ENOENT, ECONNRESET); EUNKNOWN for an error without one. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === 'string' ? code : 'EUNKNOWN'
}
