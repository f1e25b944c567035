import { defineEvent } from '@skua-mq/runtime'
import type { MessageStore } from '@skua-mq/store'

/** Java begins with an empty table and says nothing. */
export const tableMissing = defineEvent<{ file: string; lacks: string }>(
  'a configuration file is missing although the store has messages',
  'warn',
)

/** Whether somebody must have had settings here: a slave may have messages before it has those of its master. */
export const isInUse = (
  store: Pick<MessageStore, 'minPhysicalOffset' | 'maxPhysicalOffset'>,
  { brokerRole }: { readonly brokerRole: string },
): boolean => brokerRole !== 'SLAVE' && store.maxPhysicalOffset > store.minPhysicalOffset
