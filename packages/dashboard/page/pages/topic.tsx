import { useState } from 'preact/hooks'
import type { topic as topicEndpoint } from '../../src/endpoints/topics.ts'
import { change } from '../api.ts'
import { topicDeleteCommand } from '../commands.ts'
import { countText, permText } from '../format.ts'
import { Badge, Facts, Link, Loading, Problem, Tabs, Time } from '../parts/basic.tsx'
import { BrowseBar, browseParams } from '../parts/browse-bar.tsx'
import { Confirm } from '../parts/confirm.tsx'
import { Export } from '../parts/export.tsx'
import { MessageList } from '../parts/message-table.tsx'
import { SendForm } from '../parts/send-form.tsx'
import { type Column, Table } from '../parts/table.tsx'
import { TopicForm } from '../parts/topic-form.tsx'
import { go, type Route, setQuery } from '../route.ts'
import { mayChange } from '../session.ts'
import { t } from '../text/text.ts'
import type { AnswerOf } from '../types.ts'
import { useAsk } from '../use.ts'

type Topic = AnswerOf<typeof topicEndpoint>
type Queue = Topic['queues'][number]
const tabs = ['messages', 'queues', 'groups', 'settings'] as const

const heldBy = ({ queues }: Topic): number => queues.reduce((sum, one) => sum + one.maxOffset - one.minOffset, 0)

export const TopicPage = ({ route }: { route: Route }) => {
  const topic = route.path[1] ?? ''
  const { data, error, again } = useAsk<Topic>('topic', { topic }, { everyMs: 5_000 })
  const tab = (route.query['tab'] as (typeof tabs)[number] | undefined) ?? 'messages'
  return (
    <>
      <div class="title">
        <h1>
          <Link to={['topics']}>{t('topics')}</Link> / {topic}
        </h1>
        {data !== undefined && mayChange() ? <Actions data={data} again={again} /> : null}
      </div>
      <Problem error={error} again={again} />
      {data === undefined ? (
        <Loading unless={error} />
      ) : (
        <>
          <Facts
            facts={[
              [t('messages'), countText(heldBy(data))],
              [t('inRate'), countText(data.inTps)],
              [t('queues'), countText(data.queues.length)],
              [t('permission'), [...new Set(data.configs.map(({ perm }) => permText(perm)))].join(', ')],
              [t('type'), data.type === 'UNSPECIFIED' ? t('typeAny') : data.type],
              [
                t('lastWritten'),
                <Time key="t" ms={Math.max(0, ...data.queues.map(({ lastUpdateMs }) => lastUpdateMs))} ago />,
              ],
            ]}
          />
          <Tabs
            tabs={tabs.map(key => ({ key, label: key === 'groups' ? `${t('groups')} ${data.groups.length}` : t(key) }))}
            now={tab}
            onPick={key => setQuery({ tab: key === 'messages' ? undefined : key })}
          />
          {tab === 'messages' ? (
            <>
              <div class="split">
                <BrowseBar route={route} queues={data.queues.map(one => `${one.brokerName}/${one.queueId}`)} />
                <div class="bar">
                  <Link to={['tail']} query={{ topic }}>
                    {t('liveTail')}
                  </Link>
                  <Export topic={topic} />
                </div>
              </div>
              <MessageList params={browseParams(route, topic)} />
            </>
          ) : null}
          {tab === 'queues' ? (
            <Table
              columns={queueColumns(topic)}
              rows={data.queues}
              keyOf={row => `${row.brokerName}/${row.queueId}`}
              label={t('queues')}
            />
          ) : null}
          {tab === 'groups' ? <Groups topic={topic} groups={data.groups} /> : null}
          {tab === 'settings' ? (
            <Table columns={configColumns()} rows={data.configs} keyOf={row => row.address} label={t('settings')} />
          ) : null}
        </>
      )}
    </>
  )
}

const Groups = ({ topic, groups }: { topic: string; groups: readonly string[] }) => (
  <Table
    columns={[
      {
        key: 'group',
        title: t('group'),
        width: 'minmax(12rem, 2fr)',
        by: row => row,
        cell: row => <Link to={['group', row]}>{row}</Link>,
      },
      {
        key: 'lag',
        title: t('lag'),
        width: 'minmax(10rem, 1fr)',
        cell: row => (
          <Link to={['group', row]} query={{ topic }}>
            {t('showLag')}
          </Link>
        ),
      },
    ]}
    rows={groups}
    keyOf={row => row}
    label={t('groups')}
    empty={t('noGroupOfTopic')}
  />
)

const queueColumns = (topic: string): readonly Column<Queue>[] => [
  { key: 'broker', title: t('broker'), by: row => row.brokerName, cell: row => row.brokerName },
  {
    key: 'queue',
    title: t('queue'),
    width: '6rem',
    right: true,
    by: row => row.queueId,
    cell: row => (
      <Link to={['topic', topic]} query={{ queue: `${row.brokerName}/${row.queueId}` }}>
        {row.queueId}
      </Link>
    ),
  },
  {
    key: 'first',
    title: t('firstOffset'),
    right: true,
    by: row => row.minOffset,
    cell: row => countText(row.minOffset),
  },
  { key: 'end', title: t('endOffset'), right: true, by: row => row.maxOffset, cell: row => countText(row.maxOffset) },
  {
    key: 'messages',
    title: t('messages'),
    right: true,
    by: row => row.maxOffset - row.minOffset,
    cell: row => countText(row.maxOffset - row.minOffset),
  },
  {
    key: 'last',
    title: t('lastWritten'),
    width: '12rem',
    by: row => row.lastUpdateMs,
    cell: row => <Time ms={row.lastUpdateMs} />,
  },
]

const configColumns = (): readonly Column<Topic['configs'][number]>[] => [
  { key: 'broker', title: t('broker'), cell: row => <Link to={['broker', row.address]}>{row.brokerName}</Link> },
  { key: 'cluster', title: t('cluster'), cell: row => row.clusterName },
  { key: 'address', title: t('address'), width: 'minmax(11rem, 1fr)', cell: row => <code>{row.address}</code> },
  { key: 'read', title: t('readQueues'), width: '8rem', right: true, cell: row => row.readQueueNums },
  { key: 'write', title: t('writeQueues'), width: '8rem', right: true, cell: row => row.writeQueueNums },
  { key: 'perm', title: t('permission'), width: '7rem', cell: row => permText(row.perm) },
  { key: 'order', title: t('ordered'), width: '7rem', cell: row => (row.order ? <Badge>{t('yes')}</Badge> : '') },
]

const Actions = ({ data, again }: { data: Topic; again: () => void }) => {
  const [open, setOpen] = useState<'send' | 'change' | 'delete' | undefined>(undefined)
  const [config] = data.configs
  const clusters = [...new Set(data.configs.map(({ clusterName }) => clusterName))]
  const close = () => setOpen(undefined)
  const { topic } = data
  return (
    <div class="actions">
      <button type="button" class="primary" onClick={() => setOpen('send')}>
        {t('sendMessage')}
      </button>
      <button type="button" onClick={() => setOpen('change')} disabled={config === undefined}>
        {t('change')}
      </button>
      <button type="button" class="danger" onClick={() => setOpen('delete')}>
        {t('delete')}
      </button>
      {open === 'send' ? <SendForm topic={topic} onClose={close} onDone={again} /> : null}
      {open === 'change' && config !== undefined ? (
        <TopicForm before={{ ...config, topic, type: data.type }} onClose={close} onDone={again} />
      ) : null}
      {open === 'delete' ? (
        <Confirm
          title={t('deleteTopic', { topic })}
          name={topic}
          verb={t('delete')}
          isDangerous
          command={topicDeleteCommand(topic, clusters)}
          act={async () => {
            for (const clusterName of clusters) await change('topic/delete', { topic, clusterName, confirm: topic })
            go(['topics'])
          }}
          onClose={close}
        >
          <p>
            {t('deleteTopicWarning', {
              messages: countText(heldBy(data)),
              groups: data.groups.length,
              clusters: clusters.join(', '),
            })}
          </p>
        </Confirm>
      ) : null}
    </div>
  )
}
