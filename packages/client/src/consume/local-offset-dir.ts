import { homedir } from 'node:os'

/** Where Java's broadcasting consumers keep their offsets. */
export const defaultLocalOffsetStoreDir = (): string => `${homedir()}/.rocketmq_offsets`
