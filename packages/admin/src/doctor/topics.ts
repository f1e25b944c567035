import { each } from '../each.ts'
import { topicNames } from '../names.ts'
import type { AdminSession } from '../session.ts'
import { findTopicRoute } from '../topic/route.ts'
import { type Finding, hint, listed } from './finding.ts'
import type { Advertised } from './name-servers.ts'

/** Topics that one broker alone has, of a cluster with several: they stop with it, and it carries them alone. */
export async function topicFindings(session: AdminSession, brokers: readonly Advertised[]): Promise<Finding[]> {
  const masters = brokers.filter(({ brokerId }) => brokerId === 0)
  const clusters = new Map<string, Set<string>>()
  for (const { clusterName, brokerName } of masters)
    clusters.set(clusterName, (clusters.get(clusterName) ?? new Set()).add(brokerName))
  if (![...clusters.values()].some(({ size }) => size > 1)) return []
  const alone = new Map<string, string[]>()
  await each(await topicNames(session, false), async topic => {
    const holders = (await findTopicRoute(session, topic))?.brokers ?? []
    const [first] = holders
    const others = holders.filter(({ clusterName }) => clusterName === first?.clusterName)
    if (first === undefined || others.length !== 1 || (clusters.get(first.clusterName)?.size ?? 0) < 2) return
    const key = `${first.brokerName}\n${first.clusterName}`
    alone.set(key, [...(alone.get(key) ?? []), topic])
  })
  return [...alone].sort().map(([key, topics]) => {
    const [broker, cluster] = key.split('\n')
    const [has, they] = topics.length === 1 ? ['is', 'it'] : ['are', 'they']
    const size = clusters.get(cluster!)!.size
    return hint(
      'topics',
      `${listed(topics.sort())} ${has} on ${broker} alone of ${size} brokers of ${cluster}, so ${they} cannot be written while it is down: skua mqadmin updateTopic -c ${cluster} -t TOPIC makes it on all`,
    )
  })
}
