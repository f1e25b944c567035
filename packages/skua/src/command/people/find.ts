import { AdminError, messagesByKey } from '@skua-mq/admin'
import { type Given, personCommand } from './frame.ts'
import { messageTable } from './message-view.ts'

/** `skua find TOPIC --key K`. */
export const find = personCommand({
  run: async ({ session, words: [topic = ''], options }: Given<{ readonly key: string; readonly limit: number }>) => {
    const { key, limit } = options
    const found = await messagesByKey(session, { topic, key, maxNum: limit })
    if (found.length > 0) return found
    throw new AdminError('NOT_FOUND', `no message in ${topic} has the key ${key}: keys are compared as a whole`)
  },
  show: found => [messageTable(found)],
})
