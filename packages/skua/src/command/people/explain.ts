import { type Explained, explainMessage } from '@skua-mq/admin'
import { lines } from '../mqadmin/frame/table.ts'
import { type Given, personCommand } from './frame.ts'
import { mustKnow } from './groups.ts'

/** `skua explain ID -g GROUP`. */
export const explain = personCommand({
  run: async ({
    session,
    words: [id = ''],
    options: { group, topic },
  }: Given<{ readonly group: string; readonly topic?: string }>): Promise<Explained> => {
    await mustKnow(session, group)
    return explainMessage(session, { id, group, topic })
  },
  show: ({ sentence }) => [lines(sentence)],
})
