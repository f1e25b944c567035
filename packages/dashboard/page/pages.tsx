import type { FunctionComponent } from 'preact'
import { BrokerPage } from './pages/broker.tsx'
import { BrokersPage } from './pages/brokers.tsx'
import { ChangesPage } from './pages/changes.tsx'
import { DeadPage } from './pages/dead.tsx'
import { DeadGroupPage } from './pages/dead-group.tsx'
import { GroupPage } from './pages/group.tsx'
import { GroupsPage } from './pages/groups.tsx'
import { MessagePage } from './pages/message.tsx'
import { MessagesPage } from './pages/messages.tsx'
import { OverviewPage } from './pages/overview.tsx'
import { TailPage } from './pages/tail.tsx'
import { TopicPage } from './pages/topic.tsx'
import { TopicsPage } from './pages/topics.tsx'
import { WaitingPage } from './pages/waiting.tsx'
import type { Route } from './route.ts'
import type { TextKey } from './text/text.ts'

export interface PageOf {
  /** First part of its address. */
  readonly name: string
  readonly title: TextKey
  /** Which entry of the menu it belongs to. */
  readonly under: string
  readonly isHidden?: boolean
  /** What it asks for first, without parameters: that is on its way before it is known who asks. */
  readonly asks?: string
  readonly page: FunctionComponent<{ route: Route }>
}

export const pages: readonly PageOf[] = [
  { name: 'overview', title: 'overview', under: 'overview', asks: 'overview', page: OverviewPage },
  { name: 'topics', title: 'topics', under: 'topics', asks: 'topics', page: TopicsPage },
  { name: 'topic', title: 'topic', under: 'topics', isHidden: true, page: TopicPage },
  { name: 'groups', title: 'groups', under: 'groups', asks: 'groups', page: GroupsPage },
  { name: 'group', title: 'group', under: 'groups', isHidden: true, page: GroupPage },
  { name: 'messages', title: 'messages', under: 'messages', page: MessagesPage },
  { name: 'message', title: 'message', under: 'messages', isHidden: true, page: MessagePage },
  { name: 'dead', title: 'deadLetters', under: 'dead', page: DeadPage },
  { name: 'dead-letters', title: 'deadLetters', under: 'dead', isHidden: true, page: DeadGroupPage },
  { name: 'tail', title: 'liveTail', under: 'tail', page: TailPage },
  { name: 'waiting', title: 'waiting', under: 'waiting', page: WaitingPage },
  { name: 'brokers', title: 'brokers', under: 'brokers', asks: 'overview', page: BrokersPage },
  { name: 'broker', title: 'broker', under: 'brokers', isHidden: true, page: BrokerPage },
  { name: 'changes', title: 'changes', under: 'changes', page: ChangesPage },
]

/** The overview, where there is no such page. */
export const pageOf = ({ path }: Route): PageOf => pages.find(({ name }) => name === path[0]) ?? pages[0]!
