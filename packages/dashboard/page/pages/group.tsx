import { useState } from 'preact/hooks'
import type { group as groupEndpoint, groupHistory, groupOwners } from '../../src/endpoints/groups.ts'
import { change } from '../api.ts'
import { skua } from '../command.ts'
import { groupDeleteCommand } from '../commands.ts'
import { countText, modeText } from '../format.ts'
import { Badge, Card, Command, Facts, Link, Loading, Notes, Problem, Tabs, Time } from '../parts/basic.tsx'
import { ClusterSelect, useClusters } from '../parts/clusters.tsx'
import { Confirm } from '../parts/confirm.tsx'
import { GroupForm } from '../parts/group-form.tsx'
import { MemberDialog } from '../parts/member.tsx'
import { ResetForm } from '../parts/reset-form.tsx'
import { type Column, Table } from '../parts/table.tsx'
import { UndoForm } from '../parts/undo-form.tsx'
import { go, type Route, setQuery } from '../route.ts'
import { mayChange } from '../session.ts'
import { t } from '../text/text.ts'
import type { AnswerOf } from '../types.ts'
import { useAsk } from '../use.ts'

type Group = AnswerOf<typeof groupEndpoint>
type Queue = Group['queues'][number]
type Member = Group['members'][number]
const tabs = ['lag', 'members', 'history', 'settings'] as const

export const GroupPage = ({ route }: { route: Route }) => {
  const group = route.path[1] ?? ''
  const { data, error, again } = useAsk<Group>('group', { group }, { everyMs: 3_000 })
  const owners = useAsk<AnswerOf<typeof groupOwners>>('group/owners', { group }, { everyMs: 20_000 })
  const tab = (route.query['tab'] as (typeof tabs)[number] | undefined) ?? 'lag'
  return (
    <>
      <div class="title">
        <h1>
          <Link to={['groups']}>{t('groups')}</Link> / {group}
        </h1>
        {data !== undefined && mayChange() ? <Actions data={data} again={again} /> : null}
      </div>
      <Problem error={error} again={again} />
      <Notes notes={owners.data?.findings} />
      {data === undefined ? (
        <Loading unless={error} />
      ) : (
        <>
          <Facts
            facts={[
              [
                t('state'),
                data.isOnline ? (
                  <Badge key="s" tone="good">
                    {t('online', { count: data.members.length })}
                  </Badge>
                ) : (
                  <Badge key="s">{t('offline')}</Badge>
                ),
              ],
              [t('lag'), <strong key="l">{countText(data.lag)}</strong>],
              [t('consumeRate'), countText(data.consumeTps)],
              [t('mode'), modeText(data.mode)],
              [
                t('subscriptions'),
                <Subscriptions key="u" data={data} same={owners.data?.sameSubscriptions !== false} />,
              ],
              [
                t('deadLetters'),
                <Link key="d" to={['dead-letters', group]}>
                  {t('show')}
                </Link>,
              ],
            ]}
          />
          <Tabs
            tabs={tabs.map(key => ({
              key,
              label: key === 'members' ? `${t('members')} ${data.members.length}` : t(key),
            }))}
            now={tab}
            onPick={key => setQuery({ tab: key === 'lag' ? undefined : key })}
          />
          {tab === 'lag' ? <Lag data={data} owners={owners.data} topic={route.query['topic']} /> : null}
          {tab === 'members' ? <Members data={data} owners={owners.data} /> : null}
          {tab === 'history' ? <History group={group} again={again} /> : null}
          {tab === 'settings' ? <Settings data={data} /> : null}
        </>
      )}
    </>
  )
}

const Subscriptions = ({ data, same }: { data: Group; same: boolean }) => (
  <>
    {data.subscriptions.length === 0 ? '–' : null}
    {same ? null : <Badge tone="bad">{t('differentSubscriptions')}</Badge>}
    {data.subscriptions
      .filter(({ topic }) => !topic.startsWith('%'))
      .map(({ topic, expression }) => (
        <span key={topic}>
          <Link to={['topic', topic]}>{topic}</Link> <code>{expression}</code>{' '}
        </span>
      ))}
  </>
)

const Lag = ({
  data,
  owners,
  topic,
}: {
  data: Group
  owners: AnswerOf<typeof groupOwners> | undefined
  topic: string | undefined
}) => {
  const topics = [...new Set(data.queues.map(queue => queue.topic))]
  const rows = topic === undefined || topic === '' ? data.queues : data.queues.filter(queue => queue.topic === topic)
  return (
    <>
      <div class="bar">
        <select
          aria-label={t('topic')}
          value={topic ?? ''}
          onChange={event => setQuery({ topic: event.currentTarget.value })}
        >
          <option value="">{t('allTopics')}</option>
          {topics.map(name => (
            <option key={name}>{name}</option>
          ))}
        </select>
        <Command line={skua('lag', data.group)} />
      </div>
      <Table
        columns={lagColumns(owners)}
        rows={rows}
        keyOf={row => `${row.topic}\n${row.brokerName}\n${row.queueId}`}
        label={t('lag')}
        empty={t('nothingConsumed')}
        order={{ key: 'lag', down: true }}
      />
    </>
  )
}

const lagColumns = (owners: AnswerOf<typeof groupOwners> | undefined): readonly Column<Queue>[] => [
  {
    key: 'topic',
    title: t('topic'),
    width: 'minmax(6.5rem, 2fr)',
    by: row => row.topic,
    cell: row => <Link to={['topic', row.topic]}>{row.topic}</Link>,
  },
  {
    key: 'queue',
    title: t('queue'),
    width: 'minmax(7rem, 1fr)',
    by: row => `${row.brokerName}/${String(row.queueId).padStart(5, '0')}`,
    cell: row => (
      <Link
        to={['topic', row.topic]}
        query={{ from: 'offset', offset: row.consumerOffset, queue: `${row.brokerName}/${row.queueId}` }}
      >{`${row.brokerName}/${row.queueId}`}</Link>
    ),
  },
  {
    key: 'lag',
    title: t('lag'),
    width: '5.5rem',
    right: true,
    by: row => row.diff,
    cell: row => (row.diff > 0 ? <strong>{countText(row.diff)}</strong> : countText(row.diff)),
  },
  {
    key: 'next',
    title: t('nextOffset'),
    width: '7rem',
    right: true,
    by: row => row.consumerOffset,
    cell: row => countText(row.consumerOffset),
  },
  {
    key: 'end',
    title: t('endOffset'),
    width: '7rem',
    right: true,
    by: row => row.brokerOffset,
    cell: row => countText(row.brokerOffset),
  },
  {
    key: 'last',
    title: t('lastConsumed'),
    width: '9.5rem',
    by: row => row.lastConsumedMs,
    cell: row => <Time ms={row.lastConsumedMs} ago />,
  },
  {
    key: 'owner',
    title: t('member'),
    width: 'minmax(9rem, 1.5fr)',
    cell: row => <span title={ownerOf(owners, row)}>{ownerOf(owners, row)}</span>,
  },
]

const ownerOf = (owners: AnswerOf<typeof groupOwners> | undefined, row: Queue): string =>
  owners?.owners[`${row.topic}\n${row.brokerName}\n${row.queueId}`] ?? '–'

const Members = ({ data, owners }: { data: Group; owners: AnswerOf<typeof groupOwners> | undefined }) => {
  const [open, setOpen] = useState<string | undefined>(undefined)
  return (
    <>
      <Notes notes={owners?.silent.map(({ clientId, reason }) => `${clientId}: ${reason}`)} />
      {owners?.sameSubscriptions === false ? (
        <Card title={t('differentSubscriptions')}>
          <ul class="list">
            {owners.subscriptions.map(({ clientId, subscription }) => (
              <li key={clientId}>
                <code>{clientId}</code> {subscription}
              </li>
            ))}
          </ul>
        </Card>
      ) : null}
      <Table
        columns={memberColumns(setOpen, owners)}
        rows={data.members}
        keyOf={row => row.clientId}
        label={t('members')}
        empty={t('noMembers')}
      />
      {open === undefined ? null : (
        <MemberDialog group={data.group} clientId={open} onClose={() => setOpen(undefined)} />
      )}
    </>
  )
}

const memberColumns = (
  open: (id: string) => void,
  owners: AnswerOf<typeof groupOwners> | undefined,
): readonly Column<Member>[] => [
  {
    key: 'client',
    title: t('clientId'),
    width: 'minmax(14rem, 2fr)',
    by: row => row.clientId,
    cell: row => (
      <button type="button" class="link" onClick={() => open(row.clientId)} title={row.clientId}>
        {row.clientId}
      </button>
    ),
  },
  {
    key: 'address',
    title: t('address'),
    width: 'minmax(9rem, 1fr)',
    by: row => row.clientAddr,
    cell: row => <code>{row.clientAddr}</code>,
  },
  { key: 'language', title: t('language'), width: '7rem', by: row => row.language, cell: row => row.language },
  { key: 'version', title: t('version'), width: '7rem', by: row => row.version, cell: row => row.versionName },
  {
    key: 'queues',
    title: t('queues'),
    width: '6rem',
    right: true,
    cell: row =>
      countText(owners === undefined ? null : Object.values(owners.owners).filter(id => id === row.clientId).length),
  },
]

const History = ({ group, again }: { group: string; again: () => void }) => {
  const { data, error, again: reload } = useAsk<AnswerOf<typeof groupHistory>>('group/history', { group })
  const [isUndoing, setUndoing] = useState(false)
  return (
    <>
      <div class="bar">
        <Command line={skua('offsets', 'history', ['-g', group])} />
        {mayChange() && data !== undefined && data.rows.length > 0 ? (
          <button type="button" onClick={() => setUndoing(true)}>
            {t('undoLast')}
          </button>
        ) : null}
      </div>
      <Problem error={error} />
      <Notes notes={data?.problems.map(address => t('keepsNoHistory', { address }))} />
      {data === undefined ? null : (
        <Table
          columns={historyColumns()}
          rows={data.rows}
          keyOf={row => `${row.atMs} ${row.address} ${row.topic} ${row.queueId}`}
          label={t('history')}
          empty={t('noMoves')}
        />
      )}
      {isUndoing ? (
        <UndoForm
          group={group}
          onClose={() => setUndoing(false)}
          onDone={() => {
            reload()
            again()
          }}
        />
      ) : null}
    </>
  )
}

const historyColumns = (): readonly Column<AnswerOf<typeof groupHistory>['rows'][number]>[] => [
  { key: 'at', title: t('when'), width: '11rem', by: row => row.atMs, cell: row => <Time ms={row.atMs} /> },
  { key: 'topic', title: t('topic'), width: 'minmax(9rem, 1fr)', cell: row => row.topic },
  { key: 'queue', title: t('queue'), width: 'minmax(10rem, 1fr)', cell: row => `${row.address}/${row.queueId}` },
  { key: 'from', title: t('fromOffset'), width: '8rem', right: true, cell: row => countText(row.from) },
  { key: 'to', title: t('toOffset'), width: '8rem', right: true, cell: row => countText(row.to) },
  {
    key: 'who',
    title: t('who'),
    width: 'minmax(10rem, 2fr)',
    cell: row => <span title={`${row.who} ${row.request}`}>{`${row.who} ${row.request}`}</span>,
  },
]

const Settings = ({ data }: { data: Group }) => (
  <>
    {data.configs.map(({ brokerName, address, settings }) => (
      <Card key={address} title={<Link to={['broker', address]}>{brokerName}</Link>}>
        <Facts facts={Object.entries(settings).map(([name, value]) => [name, value] as const)} />
      </Card>
    ))}
  </>
)

const Actions = ({ data, again }: { data: Group; again: () => void }) => {
  const [open, setOpen] = useState<'reset' | 'change' | 'delete' | undefined>(undefined)
  const { group, configs } = data
  const close = () => setOpen(undefined)
  return (
    <div class="actions">
      <button type="button" class="primary" onClick={() => setOpen('reset')}>
        {t('resetOffsets')}
      </button>
      <button type="button" onClick={() => setOpen('change')}>
        {t('change')}
      </button>
      <button type="button" class="danger" onClick={() => setOpen('delete')}>
        {t('delete')}
      </button>
      {open === 'reset' ? <ResetForm data={data} onClose={close} onDone={again} /> : null}
      {open === 'change' ? (
        <GroupForm group={group} settings={configs[0]?.settings ?? {}} onClose={close} onDone={again} />
      ) : null}
      {open === 'delete' ? <DeleteGroup data={data} onClose={close} /> : null}
    </div>
  )
}

const DeleteGroup = ({ data, onClose }: { data: Group; onClose: () => void }) => {
  const { group } = data
  const [clusterName, setCluster] = useState('')
  const clusters = useClusters()
  const chosen = clusterName === '' ? (clusters[0] ?? '') : clusterName
  return (
    <Confirm
      title={t('deleteGroup', { group })}
      name={group}
      verb={t('delete')}
      isDangerous
      command={groupDeleteCommand(group, chosen)}
      act={async () => {
        await change('group/delete', { group, clusterName: chosen, confirm: group })
        go(['groups'])
      }}
      onClose={onClose}
    >
      <p>{t('deleteGroupWarning', { lag: countText(data.lag) })}</p>
      {clusters.length < 2 ? null : (
        <ClusterSelect label={t('cluster')} clusters={clusters} value={chosen} onPick={setCluster} />
      )}
    </Confirm>
  )
}
