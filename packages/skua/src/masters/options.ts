import { type Config, count } from '@skua-mq/runtime'

/** Most masters of one family. */
export const maxMasters = 64

/** What broker.conf says of further masters beside the first. */
export const masterOptions = {
  masters: count({
    default: 1,
    min: 1,
    max: maxMasters,
    help: 'brokers of a family in processes of their own, one per core: brokerName, brokerName-1, brokerName-2 … (docs/cluster.md); skua broker --masters says the same',
  }),
} as const
export type MasterKeys = Config<typeof masterOptions>
