import { isSystemTopic, topicConfigTableFile, updateAndCreateTopic, updateAndCreateTopicList } from '@skua-mq/protocol'
import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import { ExecutionTimes } from '../metrics/execution-times.ts'
import { rocketmq } from '../metrics/rocketmq-families.ts'
import { figure } from '../metrics/source.ts'
import { type Took, timed } from '../metrics/timed-route.ts'
import { isInUse, tableMissing } from '../persist/missing-table.ts'
import { topicRoutes } from './routes.ts'
import { TopicTable } from './topic-table.ts'

type Needs = On<'config' | 'dialect' | 'live' | 'runtime' | 'file' | 'store' | 'furniture' | 'measures'>

/** Topics and their configuration. */
export const topics: Feature<Needs, { topics: TopicTable }> = {
  name: 'topics',
  make: ({ config, dialect, live, runtime, file, store, furniture, measures }) => {
    const table = new TopicTable({
      ...{ ...runtime, dialect, settings: config },
      file: file('topics', topicConfigTableFile),
    })
    live.onChange(changes => {
      // The name servers hold permissions by topic, so this one is told to them as a change of the topics.
      if (changes.has('brokerPermission')) table.touch()
      if (changes.has('autoCreateTopicEnable')) table.followTemplate()
    })
    const times = new ExecutionTimes(rocketmq.topicCreateTime)
    const routes = topicRoutes({
      topics: table,
      dialect,
      clock: runtime.clock,
      announced: () => furniture.announced(),
      deleted: topic => furniture.topicDeleted(topic),
      settled: () => furniture.deletionsSettled(),
    })
    const took = ({ topic }: { readonly topic?: unknown }, { ms, isDone }: Took) =>
      times.add(ms, isDone, [String(isSystemTopic(String(topic)))])
    const tellMissing = () => {
      if (table.isNew && isInUse(store, config))
        runtime.events.emit(
          tableMissing({ file: 'topics.json', lacks: 'topics are not known until they are created again' }),
        )
    }
    return {
      gives: { topics: table },
      tables: [table, { start: tellMissing }],
      routes: measures
        ? [updateAndCreateTopic, updateAndCreateTopicList].reduce(
            (all, request) => timed(all, request, { clock: runtime.clock, took }),
            routes,
          )
        : routes,
      metrics: [figure(rocketmq.topicNumber, () => table.size), times],
      announce: () => table.settled(),
    }
  },
}
