import { topicConfigTableFile } from '@skua-mq/protocol'
import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import { topicRoutes } from './routes.ts'
import { TopicTable } from './topic-table.ts'

/** Topics and their configuration. */
export const topics: Feature<On<'config' | 'live' | 'runtime' | 'file' | 'furniture'>, { topics: TopicTable }> = {
  name: 'topics',
  make: ({ config, live, runtime, file, furniture }) => {
    const table = new TopicTable({ ...runtime, file: file('topics', topicConfigTableFile), settings: config })
    live.onChange(changes => {
      // The name servers hold permissions by topic, so this one is told to them as a change of the topics.
      if (changes.has('brokerPermission')) table.touch()
      if (changes.has('autoCreateTopicEnable')) table.followTemplate()
    })
    return {
      gives: { topics: table },
      tables: [table],
      routes: topicRoutes({
        topics: table,
        clock: runtime.clock,
        announced: () => furniture.announced(),
        deleted: topic => furniture.topicDeleted(topic),
        settled: () => furniture.deletionsSettled(),
      }),
      announce: () => table.settled(),
    }
  },
}
