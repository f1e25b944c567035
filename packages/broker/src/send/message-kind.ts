/** What a message asks for, as metrics tell them apart; numbers, since every message has one. */
export const MessageKind = { normal: 0, fifo: 1, delay: 2, transaction: 3 } as const
export type MessageKind = (typeof MessageKind)[keyof typeof MessageKind]

/** By number. */
export const messageKindNames = ['normal', 'fifo', 'delay', 'transaction'] as const
