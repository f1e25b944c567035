import type { access, nameServers } from '../../src/endpoints/brokers.ts'
import type { overview } from '../../src/endpoints/overview.ts'
import { Badge, Card, Facts, Loading, Notes, Problem, Time } from '../parts/basic.tsx'
import { Table } from '../parts/table.tsx'
import { t } from '../text/text.ts'
import type { AnswerOf } from '../types.ts'
import { useAsk } from '../use.ts'
import { brokerColumns } from './overview.tsx'

/** Brokers, name servers and what each of them knows, access control. */
export const BrokersPage = () => {
  const { data, error, again } = useAsk<AnswerOf<typeof overview>>('overview', {}, { everyMs: 5_000 })
  const names = useAsk<AnswerOf<typeof nameServers>>('name-servers', {}, { everyMs: 15_000 })
  const control = useAsk<AnswerOf<typeof access>>('access')
  return (
    <>
      <h1>{t('brokers')}</h1>
      <Problem error={error} again={again} />
      {data === undefined ? (
        <Loading unless={error} />
      ) : (
        <Table
          columns={brokerColumns()}
          rows={data.brokers}
          keyOf={row => `${row.brokerName} ${row.brokerId} ${row.address}`}
          label={t('brokers')}
          empty={t('noBroker')}
        />
      )}
      <h2>{t('nameServers')}</h2>
      <Problem error={names.error} />
      {(names.data?.rows ?? []).map(({ address, brokers, topics, settings, problem }) => (
        <Card key={address} title={<code>{address}</code>}>
          {problem === null ? null : <div class="banner bad">{problem}</div>}
          <Facts
            facts={[
              [t('topics'), topics],
              [t('brokers'), brokers.map(one => `${one.name} ${one.address}`).join(', ') || '–'],
            ]}
          />
          <details>
            <summary>{t('settings')}</summary>
            <Facts facts={Object.entries(settings).map(([name, value]) => [name, value] as const)} />
          </details>
        </Card>
      ))}
      <h2>{t('accessControl')}</h2>
      <Problem error={control.error} />
      <Notes notes={control.data?.problems} />
      {control.data === undefined ? null : (
        <ul class="list">
          {control.data.brokers.map(({ brokerName, address, enabled }) => (
            <li key={address}>
              {brokerName}{' '}
              {enabled === null ? (
                <Badge>{t('unknown')}</Badge>
              ) : enabled ? (
                <Badge tone="good">{t('on')}</Badge>
              ) : (
                <Badge tone="warn">{t('off')}</Badge>
              )}
            </li>
          ))}
          {control.data.files.map(({ brokerName, file, version, changedAtMs }) => (
            <li key={`${brokerName} ${file}`}>
              {brokerName} <code>{file}</code> {version} <Time ms={changedAtMs} />
            </li>
          ))}
        </ul>
      )}
    </>
  )
}
