import { useState } from 'preact/hooks'
import type { groupMember } from '../../src/endpoints/groups.ts'
import { mqadmin } from '../command.ts'
import { countText } from '../format.ts'
import { t } from '../text/text.ts'
import type { AnswerOf } from '../types.ts'
import { useAsk } from '../use.ts'
import { Badge, Command, Dialog, Facts, Loading, Problem, Time } from './basic.tsx'
import { type Column, Table } from './table.tsx'

type Member = AnswerOf<typeof groupMember>

/** What a member tells of itself. */
export const MemberDialog = ({
  group,
  clientId,
  onClose,
}: {
  group: string
  clientId: string
  onClose: () => void
}) => {
  const [stack, setStack] = useState(false)
  const { data, error, again } = useAsk<Member>('group/member', { group, clientId, stack })
  return (
    <Dialog title={clientId} onClose={onClose} wide>
      <Problem error={error} again={again} />
      {data === undefined ? (
        <Loading unless={error} />
      ) : (
        <>
          <Facts
            facts={Object.entries(data.properties).map(
              ([name, value]) =>
                [name, /TIMESTAMP$/.test(name) ? <Time key={name} ms={Number(value)} /> : value] as const,
            )}
          />
          <Table
            columns={columns()}
            rows={data.queues}
            keyOf={row => `${row.topic} ${row.brokerName}/${row.queueId}`}
            label={t('queues')}
            maxHeight="34vh"
          />
          {Object.entries(data.status).map(([topic, figures]) => (
            <details key={topic}>
              <summary>{topic}</summary>
              <Facts facts={Object.entries(figures).map(([name, value]) => [name, countText(value)] as const)} />
            </details>
          ))}
          {data.stack === null ? (
            stack ? (
              <p class="quiet">{t('noStack')}</p>
            ) : (
              <button type="button" onClick={() => setStack(true)}>
                {t('showStack')}
              </button>
            )
          ) : (
            <pre class="body">{data.stack}</pre>
          )}
        </>
      )}
      <Command line={mqadmin('consumerStatus', ['-g', group], ['-i', clientId], stack && '-s')} />
    </Dialog>
  )
}

const columns = (): readonly Column<Member['queues'][number]>[] => [
  { key: 'topic', title: t('topic'), width: 'minmax(8rem, 1fr)', cell: row => row.topic },
  { key: 'queue', title: t('queue'), width: 'minmax(8rem, 1fr)', cell: row => `${row.brokerName}/${row.queueId}` },
  { key: 'offset', title: t('nextOffset'), width: '7rem', right: true, cell: row => countText(row.commitOffset) },
  { key: 'cached', title: t('cached'), width: '7rem', right: true, cell: row => countText(row.cachedMsgCount) },
  { key: 'pulled', title: t('lastPulled'), width: '8rem', cell: row => <Time ms={row.lastPullMs} ago /> },
  { key: 'consumed', title: t('lastConsumed'), width: '8rem', cell: row => <Time ms={row.lastConsumeMs} ago /> },
  { key: 'locked', title: t('locked'), width: '6rem', cell: row => (row.locked ? <Badge>{t('yes')}</Badge> : '') },
]
