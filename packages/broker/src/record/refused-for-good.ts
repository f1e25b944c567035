import type { PutResult, PutStatus } from '@skua-mq/store'

/** What a store answers about the message itself, and would answer again. */
const forGood: ReadonlySet<PutStatus> = new Set(['messageIllegal', 'propertiesSizeExceeded'])

/**
 * Whether a message that the broker stores anew (delay, retry, transactions) will never be taken: whoever tries it again
 * and again holds up everything behind it.
 */
export const isRefusedForGood = ({ status }: Pick<PutResult, 'status'>): boolean => forGood.has(status)
