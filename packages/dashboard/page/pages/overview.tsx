import { useMemo } from 'preact/hooks'
import type { doctor, history, lags, overview } from '../../src/endpoints/overview.ts'
import { bytesText, countText, percentText } from '../format.ts'
import { Badge, Card, Empty, Link, Loading, Notes, Problem, Tile, Time } from '../parts/basic.tsx'
import { Chart } from '../parts/chart.tsx'
import { type Column, Table } from '../parts/table.tsx'
import { t } from '../text/text.ts'
import type { AnswerOf } from '../types.ts'
import { useAsk } from '../use.ts'

type BrokerRow = AnswerOf<typeof overview>['brokers'][number]

const sumOf = (values: readonly (number | null)[]): number | null => {
  const told = values.filter(value => value !== null)
  return told.length === 0 ? null : told.reduce((a, b) => a + b, 0)
}

export const OverviewPage = () => {
  // What costs brokers more is asked for when the first picture is there.
  const { data, error, again } = useAsk<AnswerOf<typeof overview>>('overview', {}, { everyMs: 3_000 })
  const behind = useAsk<AnswerOf<typeof lags>>('lags', {}, { everyMs: 10_000, when: data !== undefined })
  const found = useAsk<AnswerOf<typeof doctor>>(
    'doctor',
    {},
    { everyMs: 60_000, when: behind.data !== undefined || behind.error !== undefined },
  )
  const masters = data?.brokers.filter(({ brokerId }) => brokerId === 0) ?? []
  return (
    <>
      <h1>{t('overview')}</h1>
      <Problem error={error} again={again} />
      {(found.data?.rows ?? []).map(({ severity, check, sentence }) => (
        <div class={`banner ${severity === 'error' ? 'bad' : 'warn'}`} key={sentence}>
          <strong>{check}</strong>
          <span>{sentence}</span>
        </div>
      ))}
      {(data?.nameServers ?? [])
        .filter(({ problem }) => problem !== null)
        .map(({ address, problem }) => (
          <div class="banner bad" key={address}>
            {problem}
          </div>
        ))}
      {data === undefined ? (
        <Loading unless={error} />
      ) : (
        <>
          <div class="tiles">
            <Tile label={t('messagesIn')}>{countText(sumOf(masters.map(({ inTps }) => inTps)))}</Tile>
            <Tile label={t('messagesOut')}>{countText(sumOf(masters.map(({ outTps }) => outTps)))}</Tile>
            <Tile
              label={t('waitingMessages')}
              tone={behind.data !== undefined && behind.data.lag > 0 ? 'accent' : 'plain'}
            >
              {countText(behind.data?.lag)}
            </Tile>
            <Tile label={t('topics')}>
              <Link to={['topics']}>{countText(data.topics)}</Link>
            </Tile>
            <Tile label={t('groups')}>
              <Link to={['groups']}>{countText(behind.data?.groups)}</Link>
            </Tile>
            <Tile label={t('fullestDisk')}>{percentText(maxOf(data.brokers.map(({ disk }) => disk)))}</Tile>
          </div>
          <Charts />
          <Card title={t('brokers')}>
            <Table
              columns={brokerColumns()}
              rows={data.brokers}
              keyOf={row => `${row.brokerName} ${row.brokerId} ${row.address}`}
              label={t('brokers')}
              empty={t('noBroker')}
            />
          </Card>
          <Card title={t('largestLags')}>
            <Problem error={behind.error} />
            <Notes notes={behind.data?.problems} />
            {behind.data === undefined ? null : behind.data.largest.length === 0 ? (
              <Empty>{t('noLag')}</Empty>
            ) : (
              <Lags rows={behind.data.largest} />
            )}
          </Card>
          {found.data !== undefined && found.data.rows.length === 0 ? (
            <p class="quiet">{t('doctorFindsNothing')}</p>
          ) : null}
        </>
      )}
    </>
  )
}

const maxOf = (values: readonly (number | null)[]): number | null => {
  const told = values.filter(value => value !== null)
  return told.length === 0 ? null : Math.max(...told)
}

const Lags = ({ rows }: { rows: AnswerOf<typeof lags>['largest'] }) => {
  const most = rows[0]?.lag ?? 1
  return (
    <ul class="bars">
      {rows.map(({ group, lag, topics }) => (
        <li key={group}>
          <Link to={['group', group]}>{group}</Link>
          <span class="quiet">{topics.join(', ')}</span>
          <meter min={0} max={most} value={lag} aria-label={group} />
          <span class="right">{countText(lag)}</span>
        </li>
      ))}
    </ul>
  )
}

const roleText = ({ brokerId }: BrokerRow) => (brokerId === 0 ? t('master') : t('slave', { id: brokerId }))

export const brokerColumns = (): readonly Column<BrokerRow>[] => [
  {
    key: 'broker',
    title: t('broker'),
    width: 'minmax(5.5rem, 1.4fr)',
    by: row => row.brokerName,
    cell: row => <Link to={['broker', row.address]}>{row.brokerName}</Link>,
  },
  { key: 'role', title: t('role'), width: '4rem', by: row => row.brokerId, cell: roleText },
  {
    key: 'state',
    title: t('state'),
    width: 'minmax(5.25rem, 1fr)',
    by: row => row.problem ?? '',
    cell: row =>
      row.problem === null ? (
        <Badge tone="good">{t('answers')}</Badge>
      ) : (
        <Badge tone="bad" title={row.problem}>
          {row.problem}
        </Badge>
      ),
  },
  {
    key: 'address',
    title: t('address'),
    width: 'minmax(9rem, 1.2fr)',
    by: row => row.address,
    cell: row => <code title={row.address}>{row.address}</code>,
  },
  { key: 'version', title: t('version'), width: '4.25rem', by: row => row.version, cell: row => row.version || '–' },
  {
    key: 'in',
    title: t('inRate'),
    width: '4.5rem',
    right: true,
    by: row => row.inTps,
    cell: row => countText(row.inTps),
  },
  {
    key: 'out',
    title: t('outRate'),
    width: '4.5rem',
    right: true,
    by: row => row.outTps,
    cell: row => countText(row.outTps),
  },
  {
    key: 'disk',
    title: t('disk'),
    width: '3.75rem',
    right: true,
    by: row => row.disk,
    cell: row => percentText(row.disk),
  },
  {
    key: 'behind',
    title: t('behind'),
    width: '4.75rem',
    right: true,
    by: row => row.behindBytes,
    cell: row => bytesText(row.behindBytes),
  },
  {
    key: 'oldest',
    title: t('oldestMessage'),
    width: '9.5rem',
    by: row => row.earliestMs,
    cell: row => <Time ms={row.earliestMs} />,
  },
]

const Charts = () => {
  const { data } = useAsk<AnswerOf<typeof history>>('history', {}, { everyMs: 10_000 })
  const samples = data?.samples ?? []
  const lines = useMemo(
    () => ({
      times: samples.map(({ atMs }) => atMs),
      rates: [
        { label: t('inRate'), color: '--in', values: samples.map(({ inTps }) => inTps) },
        { label: t('outRate'), color: '--out', values: samples.map(({ outTps }) => outTps) },
      ],
      lag: [{ label: t('lag'), color: '--lag', values: samples.map(({ lag }) => lag) }],
      disk: [{ label: t('disk'), color: '--disk', values: samples.map(({ disk }) => disk) }],
    }),
    [data],
  )
  if (samples.length < 2) return <p class="quiet">{t('chartsSoon')}</p>
  return (
    <div class="charts">
      <Card title={t('ratesChart')}>
        <Chart times={lines.times} series={lines.rates} label={t('ratesChart')} />
      </Card>
      <Card title={t('lagChart')}>
        <Chart times={lines.times} series={lines.lag} label={t('lagChart')} />
      </Card>
      <Card title={t('diskChart')}>
        <Chart times={lines.times} series={lines.disk} text={percentText} label={t('diskChart')} />
      </Card>
    </div>
  )
}
