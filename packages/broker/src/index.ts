export * from './broker.ts'
export * from './config/options.ts'
export type { PendingTransaction } from './transaction/pending-transactions.ts'
