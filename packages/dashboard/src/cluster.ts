import {
  type AdminSession,
  type BrokerConsumeProgress,
  brokerConsumeStats,
  brokersOwnTopics,
  type ClusterBroker,
  clusterBrokers,
  connect,
  each,
  groupConfigs,
  listTopics,
  topicConfigs,
} from '@skua-mq/admin'
import type { SubscriptionGroupConfig, TopicConfig } from '@skua-mq/protocol'
import type { Runtime } from '@skua-mq/runtime'
import { SharedAnswers } from './cache.ts'
import { History } from './history.ts'
import type { ClusterOptions } from './options.ts'
import type { ReadBudget } from './read-budget.ts'

/** How long answers are shared: what costs a broker little, and what makes it look at all its queues. */
const briefMs = 2_000
const longMs = 10_000

/** One cluster that is looked at: a session, and what all pages share of its answers. */
export class Cluster {
  readonly name: string
  readonly session: AdminSession
  readonly history: History
  /** Shared by all clusters of a dashboard. */
  readonly reading: ReadBudget
  private readonly shared: SharedAnswers

  constructor(options: ClusterOptions, { runtime, reading }: { runtime: Runtime; reading: ReadBudget }) {
    const { namesrvAddr, tls, credentials, timeoutMs } = options
    this.name = options.name
    this.reading = reading
    this.session = connect({ namesrvAddr, tls, credentials, timeoutMs, runtime })
    this.shared = new SharedAnswers(runtime.clock)
    this.history = new History(this)
  }

  share<T>(name: string, keepMs: number, ask: (session: AdminSession) => Promise<T>): Promise<T> {
    return this.shared.get(name, keepMs, () => ask(this.session))
  }

  /** Masters and slaves. */
  brokers(): Promise<ClusterBroker[]> {
    return this.share('brokers', briefMs, clusterBrokers)
  }

  async masters(): Promise<ClusterBroker[]> {
    return (await this.brokers()).filter(({ brokerId }) => brokerId === 0)
  }

  topics(): Promise<string[]> {
    return this.share('topics', briefMs, session => listTopics(session))
  }

  ownTopics(): Promise<ReadonlySet<string>> {
    return this.share('own topics', longMs, brokersOwnTopics)
  }

  /** Settings of topics at each master; a master that does not tell has none, and is named. */
  topicTables(): Promise<readonly BrokerTable<TopicConfig>[]> {
    return this.share('topic settings', longMs / 2, session => this.ofMasters(topicConfigs, session))
  }

  groupTables(): Promise<readonly BrokerTable<SubscriptionGroupConfig>[]> {
    return this.share('group settings', longMs / 2, session => this.ofMasters(groupConfigs, session))
  }

  /** Where every group stands in every queue. */
  progress(): Promise<readonly BrokerTable<BrokerConsumeProgress>[]> {
    return this.share('progress', longMs, session =>
      this.ofMasters((at, address) => brokerConsumeStats(at, address, { timeoutMs: 30_000 }), session),
    )
  }

  /** What was changed is asked for anew. */
  changed(): void {
    this.shared.clear()
  }

  async close(): Promise<void> {
    await this.history.stop()
    await this.session.close()
  }

  private async ofMasters<T>(
    ask: (session: AdminSession, address: string) => Promise<readonly T[]>,
    session: AdminSession,
  ): Promise<BrokerTable<T>[]> {
    return each(await this.masters(), async ({ brokerName, address }) => {
      try {
        return { brokerName, address, rows: await ask(session, address) }
      } catch (error) {
        return { brokerName, address, rows: [], problem: error instanceof Error ? error.message : String(error) }
      }
    })
  }
}

/** What one broker told. */
export interface BrokerTable<T> {
  readonly brokerName: string
  readonly address: string
  readonly rows: readonly T[]
  readonly problem?: string
}
