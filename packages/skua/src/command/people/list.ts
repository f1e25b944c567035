import type { Entry } from './frame.ts'

/** Names that have commands below them. */
export const groups: readonly { readonly name: string; readonly help: string }[] = []

/** Every command for people. */
export const entries: readonly Entry[] = [
  {
    name: 'ping',
    help: 'whether each name server, and each broker that they know, answers; exit code 1 when one does not',
    flags: [],
    timeoutMs: 3000,
    load: async () => (await import('./ping.ts')).ping,
  },
]
