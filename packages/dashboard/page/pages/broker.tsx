import { useState } from 'preact/hooks'
import type { brokerClients, broker as brokerEndpoint } from '../../src/endpoints/brokers.ts'
import type { overview } from '../../src/endpoints/overview.ts'
import { change } from '../api.ts'
import { mqadmin } from '../command.ts'
import { workCommand } from '../commands.ts'
import { Badge, Command, Facts, Link, Loading, Problem, Tabs, Time } from '../parts/basic.tsx'
import { Confirm } from '../parts/confirm.tsx'
import { SettingForm } from '../parts/setting-form.tsx'
import { type Column, Filter, matches, Table } from '../parts/table.tsx'
import { type Route, setQuery } from '../route.ts'
import { mayChange } from '../session.ts'
import { t } from '../text/text.ts'
import type { AnswerOf } from '../types.ts'
import { useAsk } from '../use.ts'

type Broker = AnswerOf<typeof brokerEndpoint>
export type Setting = Broker['settings'][number]
const tabs = ['settings', 'runtime', 'clients'] as const

export const BrokerPage = ({ route }: { route: Route }) => {
  const address = route.path[1] ?? ''
  const { data, error, again } = useAsk<Broker>('broker', { address }, { everyMs: 10_000 })
  const all = useAsk<AnswerOf<typeof overview>>('overview')
  const name =
    all.data?.brokers.find(one => one.address === address)?.brokerName ??
    data?.settings.find(one => one.name === 'brokerName')?.value ??
    ''
  const tab = (route.query['tab'] as (typeof tabs)[number] | undefined) ?? 'settings'
  return (
    <>
      <div class="title">
        <h1>
          <Link to={['brokers']}>{t('brokers')}</Link> / {name === '' ? address : name}{' '}
          <code class="quiet">{address}</code>
        </h1>
        {mayChange() && name !== '' ? <Maintenance name={name} address={address} /> : null}
      </div>
      <Problem error={error} again={again} />
      {data === undefined ? (
        <Loading unless={error} />
      ) : (
        <>
          <Tabs
            tabs={tabs.map(key => ({ key, label: t(key) }))}
            now={tab}
            onPick={key => setQuery({ tab: key === 'settings' ? undefined : key })}
          />
          {tab === 'settings' ? <Settings data={data} route={route} again={again} /> : null}
          {tab === 'runtime' ? (
            <Facts facts={Object.entries(data.info).map(([key, value]) => [key, value] as const)} />
          ) : null}
          {tab === 'clients' ? <Clients address={address} /> : null}
        </>
      )}
    </>
  )
}

const Settings = ({ data, route, again }: { data: Broker; route: Route; again: () => void }) => {
  const text = route.query['q'] ?? ''
  const isChangedOnly = route.query['changed'] === '1'
  const [open, setOpen] = useState<Setting | undefined>(undefined)
  const rows = data.settings.filter(
    one => matches(`${one.name} ${one.value} ${one.help ?? ''}`, text) && (!isChangedOnly || !one.isStandard),
  )
  return (
    <>
      <div class="bar">
        <Filter value={text} onChange={q => setQuery({ q })} label={t('filterSettings')} />
        <label class="check">
          <input
            type="checkbox"
            checked={isChangedOnly}
            onChange={event => setQuery({ changed: event.currentTarget.checked ? '1' : undefined })}
          />{' '}
          {t('changedOnly')}
        </label>
      </div>
      <Table
        columns={settingColumns(setOpen)}
        rows={rows}
        keyOf={row => row.name}
        label={t('settings')}
        empty={t('noMatch')}
      />
      {open === undefined ? null : (
        <SettingForm address={data.address} setting={open} onClose={() => setOpen(undefined)} onDone={again} />
      )}
    </>
  )
}

const settingColumns = (open: (setting: Setting) => void): readonly Column<Setting>[] => [
  {
    key: 'name',
    title: t('name'),
    width: 'minmax(14rem, 1.4fr)',
    by: row => row.name,
    cell: row =>
      mayChange() ? (
        <button type="button" class="link" onClick={() => open(row)} title={row.name}>
          {row.name}
        </button>
      ) : (
        row.name
      ),
  },
  {
    key: 'value',
    title: t('value'),
    width: 'minmax(9rem, 1fr)',
    by: row => row.value,
    cell: row => (
      <code class={row.isStandard ? '' : 'changed'} title={row.value}>
        {row.value}
      </code>
    ),
  },
  {
    key: 'standard',
    title: t('standard'),
    width: 'minmax(8rem, 1fr)',
    cell: row => (
      <code class="quiet" title={row.standard ?? ''}>
        {row.standard ?? '–'}
      </code>
    ),
  },
  {
    key: 'live',
    title: t('whenEffective'),
    width: '7rem',
    by: row => String(row.isLive),
    cell: row =>
      row.isLive === null ? (
        ''
      ) : (
        <Badge tone={row.isLive ? 'good' : 'plain'}>{t(row.isLive ? 'atOnce' : 'atStart')}</Badge>
      ),
  },
  {
    key: 'help',
    title: t('meaning'),
    width: 'minmax(16rem, 3fr)',
    cell: row => (
      <span class="quiet" title={row.help ?? ''}>
        {row.help ?? ''}
      </span>
    ),
  },
]

const Clients = ({ address }: { address: string }) => {
  const { data, error } = useAsk<AnswerOf<typeof brokerClients>>('broker/clients', { address }, { everyMs: 10_000 })
  return (
    <>
      <Command line={mqadmin('producer', ['-b', address])} />
      <Problem error={error} />
      {data === undefined ? null : (
        <Table
          columns={clientColumns()}
          rows={data.rows}
          keyOf={row => `${row.group} ${row.client.clientId}`}
          label={t('clients')}
          empty={t('noProducers')}
        />
      )}
    </>
  )
}

const clientColumns = (): readonly Column<AnswerOf<typeof brokerClients>['rows'][number]>[] => [
  { key: 'group', title: t('producerGroup'), width: 'minmax(9rem, 1fr)', by: row => row.group, cell: row => row.group },
  {
    key: 'client',
    title: t('clientId'),
    width: 'minmax(12rem, 2fr)',
    by: row => row.client.clientId,
    cell: row => <span title={row.client.clientId}>{row.client.clientId}</span>,
  },
  {
    key: 'address',
    title: t('address'),
    width: 'minmax(9rem, 1fr)',
    by: row => row.client.clientAddr,
    cell: row => <code>{row.client.clientAddr}</code>,
  },
  {
    key: 'language',
    title: t('language'),
    width: '7rem',
    by: row => row.client.language,
    cell: row => row.client.language,
  },
  {
    key: 'version',
    title: t('version'),
    width: '7rem',
    by: row => row.client.version,
    cell: row => row.client.versionName,
  },
  {
    key: 'last',
    title: t('lastHeartbeat'),
    width: '9rem',
    by: row => row.lastUpdateMs,
    cell: row => <Time ms={row.lastUpdateMs} ago />,
  },
]

type Work = 'wipe' | 'allow' | 'commitLog' | 'consumeQueues' | 'unusedTopics'
const Maintenance = ({ name, address }: { name: string; address: string }) => {
  const [open, setOpen] = useState<Work | undefined>(undefined)
  const isWrite = open === 'wipe' || open === 'allow'
  return (
    <div class="actions">
      <select
        aria-label={t('maintenance')}
        value=""
        onChange={event => {
          setOpen(event.currentTarget.value as Work)
          event.currentTarget.value = ''
        }}
      >
        <option value="">{t('maintenance')}</option>
        <option value="wipe">{t('work_wipe')}</option>
        <option value="allow">{t('work_allow')}</option>
        <option value="commitLog">{t('work_commitLog')}</option>
        <option value="consumeQueues">{t('work_consumeQueues')}</option>
        <option value="unusedTopics">{t('work_unusedTopics')}</option>
      </select>
      {open === undefined ? null : (
        <Confirm
          title={t(`work_${open}`)}
          name={name}
          verb={t('doIt')}
          isDangerous
          command={workCommand(open, { name, address })}
          act={() =>
            isWrite
              ? change('broker/write', { broker: name, allow: open === 'allow' })
              : change('broker/clean', { address, what: open })
          }
          onClose={() => setOpen(undefined)}
        >
          <p>{t(`workWhat_${open}`)}</p>
        </Confirm>
      )}
    </div>
  )
}
