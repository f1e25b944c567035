import { useState } from 'preact/hooks'
import type { delayed, halves } from '../../src/endpoints/waiting.ts'
import { change } from '../api.ts'
import { skua } from '../command.ts'
import { delayedCancelCommand, delayedMoveCommand, halfCommand } from '../commands.ts'
import { countText, inputTime, zonedTime } from '../format.ts'
import { Badge, Card, Command, Field, Link, Loading, MessageLink, Notes, Problem, Time } from '../parts/basic.tsx'
import { Confirm } from '../parts/confirm.tsx'
import { type Column, Table } from '../parts/table.tsx'
import { mayChange } from '../session.ts'
import { t } from '../text/text.ts'
import type { AnswerOf } from '../types.ts'
import { useAsk } from '../use.ts'

type Delayed = AnswerOf<typeof delayed>['rows'][number]
type Half = AnswerOf<typeof halves>['rows'][number]

/** What no consumer can see yet: delayed messages, and half messages of transactions. */
export const WaitingPage = () => {
  const waiting = useAsk<AnswerOf<typeof delayed>>('delayed', {}, { everyMs: 5_000 })
  const undecided = useAsk<AnswerOf<typeof halves>>('halves', {}, { everyMs: 5_000 })
  const [cancelled, setCancelled] = useState<Delayed | undefined>(undefined)
  const [moved, setMoved] = useState<Delayed | undefined>(undefined)
  const [decided, setDecided] = useState<{ half: Half; decision: 'commit' | 'rollback' } | undefined>(undefined)
  return (
    <>
      <h1>{t('waiting')}</h1>
      <Card title={t('delayedMessages')}>
        <p class="quiet">{t('delayedWhat')}</p>
        <Problem error={waiting.error} again={waiting.again} />
        <Notes notes={waiting.data?.problems} />
        {waiting.data === undefined ? (
          <Loading unless={waiting.error} />
        ) : (
          <Table
            columns={delayedColumns(setCancelled, setMoved)}
            rows={waiting.data.rows}
            keyOf={row => `${row.topic} ${row.msgId} ${row.offsetMsgId}`}
            label={t('delayedMessages')}
            empty={t('noDelayed')}
            maxHeight="40vh"
          />
        )}
      </Card>
      <Card title={t('halfMessages')}>
        <p class="quiet">{t('halfWhat')}</p>
        <Command line={skua('tx', 'list')} />
        <Problem error={undecided.error} again={undecided.again} />
        <Notes notes={undecided.data?.problems} />
        {undecided.data === undefined ? null : (
          <Table
            columns={halfColumns((half, decision) => setDecided({ half, decision }))}
            rows={undecided.data.rows}
            keyOf={row => `${row.brokerName} ${row.halfOffset}`}
            label={t('halfMessages')}
            empty={t('noHalf')}
            maxHeight="40vh"
          />
        )}
      </Card>
      {moved === undefined ? null : <MoveForm row={moved} onClose={() => setMoved(undefined)} onDone={waiting.again} />}
      {cancelled === undefined ? null : (
        <Confirm
          title={t('cancelDelayed')}
          name={cancelled.topic}
          verb={t('cancelIt')}
          isDangerous
          command={delayedCancelCommand(cancelled)}
          act={async () => {
            const { brokerName: broker, topic, msgId: id, dueMs } = cancelled
            await change('delayed/cancel', { topic, broker, id, dueMs })
            waiting.again()
          }}
          onClose={() => setCancelled(undefined)}
        >
          <p>{t('cancelDelayedWhat', { id: cancelled.msgId })}</p>
        </Confirm>
      )}
      {decided === undefined ? null : (
        <Confirm
          title={t(decided.decision === 'commit' ? 'commitHalf' : 'rollbackHalf')}
          name={decided.half.topic}
          verb={t(decided.decision)}
          isDangerous
          command={halfCommand(decided.decision, decided.half)}
          act={async () => {
            const { brokerName: broker, producerGroup, msgId: id, halfOffset, physicalOffset } = decided.half
            await change('halves/decide', {
              broker,
              producerGroup,
              id,
              halfOffset,
              physicalOffset,
              decision: decided.decision,
            })
            undecided.again()
          }}
          onClose={() => setDecided(undefined)}
        >
          <p>{t(decided.decision === 'commit' ? 'commitWhat' : 'rollbackWhat', { topic: decided.half.topic })}</p>
        </Confirm>
      )}
    </>
  )
}

const delayedColumns = (cancel: (row: Delayed) => void, move: (row: Delayed) => void): readonly Column<Delayed>[] => [
  { key: 'due', title: t('due'), width: '9.5rem', by: row => row.dueMs, cell: row => <Time ms={row.dueMs} /> },
  {
    key: 'topic',
    title: t('topic'),
    width: 'minmax(7.5rem, 1fr)',
    by: row => row.topic,
    cell: row => <Link to={['topic', row.topic]}>{row.topic}</Link>,
  },
  {
    key: 'id',
    title: t('messageId'),
    width: '8.5rem',
    cell: row => (
      <MessageLink id={row.offsetMsgId === '' ? row.msgId : row.offsetMsgId} shown={row.msgId} topic={row.topic} />
    ),
  },
  {
    key: 'by',
    title: t('kind'),
    width: '5.5rem',
    by: row => row.by,
    cell: row => <Badge>{t(row.by === 'level' ? 'byLevel' : 'byTimer')}</Badge>,
  },
  { key: 'keys', title: t('keys'), width: 'minmax(5.5rem, 1fr)', cell: row => row.keys },
  {
    key: 'stored',
    title: t('stored'),
    width: '9.5rem',
    by: row => row.storedAtMs,
    cell: row => <Time ms={row.storedAtMs} />,
  },
  {
    key: 'act',
    title: '',
    width: '13rem',
    cell: row =>
      row.by === 'timer' && mayChange() ? (
        <>
          <button type="button" class="small" onClick={() => move(row)}>
            {t('moveIt')}
          </button>{' '}
          <button type="button" class="small" onClick={() => cancel(row)}>
            {t('cancelIt')}
          </button>
        </>
      ) : null,
  },
]

/** Another time for a message; now, where it has passed. */
const MoveForm = ({ row, onClose, onDone }: { row: Delayed; onClose: () => void; onDone: () => void }) => {
  const [time, setTime] = useState(inputTime(row.dueMs ?? Date.now()))
  return (
    <Confirm
      title={t('moveDelayed')}
      verb={t('save')}
      command={delayedMoveCommand(row, zonedTime(time))}
      act={async () => {
        await change('delayed/move', { topic: row.topic, id: row.msgId, deliverAtMs: new Date(time).getTime() })
        onDone()
      }}
      onClose={onClose}
    >
      <Field label={t('due')} hint={t('moveHint')}>
        <input
          type="datetime-local"
          step={1}
          required
          value={time}
          onInput={event => setTime(event.currentTarget.value)}
        />
      </Field>
    </Confirm>
  )
}

const halfColumns = (decide: (row: Half, decision: 'commit' | 'rollback') => void): readonly Column<Half>[] => [
  { key: 'born', title: t('born'), width: '9.5rem', by: row => row.bornAtMs, cell: row => <Time ms={row.bornAtMs} /> },
  {
    key: 'topic',
    title: t('topic'),
    width: 'minmax(8rem, 1fr)',
    by: row => row.topic,
    cell: row => <Link to={['topic', row.topic]}>{row.topic}</Link>,
  },
  {
    key: 'producer',
    title: t('producerGroup'),
    width: 'minmax(7.5rem, 1fr)',
    by: row => row.producerGroup,
    cell: row => row.producerGroup,
  },
  {
    key: 'id',
    title: t('messageId'),
    width: '8.5rem',
    cell: row => <MessageLink id={row.msgId} shown={row.msgId} topic="RMQ_SYS_TRANS_HALF_TOPIC" />,
  },
  {
    key: 'checks',
    title: t('checks'),
    width: '5rem',
    right: true,
    by: row => row.checks,
    cell: row => countText(row.checks),
  },
  { key: 'next', title: t('nextCheck'), width: '9.5rem', cell: row => <Time ms={row.nextCheckAtMs} /> },
  {
    key: 'act',
    title: '',
    width: '11rem',
    cell: row =>
      mayChange() ? (
        <>
          <button type="button" class="small" onClick={() => decide(row, 'commit')}>
            {t('commit')}
          </button>{' '}
          <button type="button" class="small" onClick={() => decide(row, 'rollback')}>
            {t('rollback')}
          </button>
        </>
      ) : null,
  },
]
