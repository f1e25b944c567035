import {
  AdminError,
  aclVersions,
  addWritePerm,
  brokerConfig,
  brokerRuntimeInfo,
  cleanBrokers,
  each,
  nameServerConfigs,
  nameServerViews,
  producers,
  setBrokerConfig,
  wipeWritePerm,
} from '@skua-mq/admin'
import { endpoint } from '../endpoint.ts'
import { Problem } from '../problem.ts'
import { address, brokerName, clientRow, count, cutTo, limited, ms, takenBy, told } from '../rows.ts'
import { bool, int, list, oneOf, orNull, record, shape, text } from '../schema.ts'
import { isSecret, shownValue, shownValues } from '../secrets.ts'
import { settingNotes } from '../setting-notes.ts'

const maxSettings = 2_000
const maxClients = 10_000

const setting = shape({
  name: told,
  /** Dots where it is a secret. */
  value: told,
  isSecret: bool(),
  /** Null where this version of the dashboard does not know the key. */
  standard: orNull(told),
  isStandard: bool(),
  isLive: orNull(bool()),
  kind: orNull(told),
  help: orNull(told),
})

/** One broker. */
export const broker = endpoint({
  name: 'broker',
  method: 'GET',
  role: 'view',
  help: 'A broker: every setting with its default, and what it tells of itself.',
  params: { address },
  answer: shape({
    address: told,
    settings: list(setting, { max: maxSettings }),
    info: record(told, { max: 2_000 }),
  }),
  run: async ({ cluster }, params) => {
    const [settings, info] = await Promise.all([
      brokerConfig(cluster.session, params.address),
      brokerRuntimeInfo(cluster.session, params.address),
    ])
    return {
      address: params.address,
      settings: Object.entries(settings)
        .slice(0, maxSettings)
        .map(([name, value]) => settingOf(name, value)),
      info,
    }
  },
})

function settingOf(name: string, value: string) {
  const shown = { name, value: shownValue(name, value), isSecret: isSecret(name) || shownValue(name, value) !== value }
  const note = Object.hasOwn(settingNotes, name) ? settingNotes[name] : undefined
  if (note === undefined) return { ...shown, standard: null, isStandard: true, isLive: null, kind: null, help: null }
  const [standard, isLive, kind, help] = note
  return { ...shown, standard, isStandard: standard === value, isLive, kind, help }
}

/** Changes settings, and reads them again. */
export const brokerSet = endpoint({
  name: 'broker/set',
  method: 'POST',
  role: 'admin',
  help: 'Changes settings of a broker while it runs, and says what they are then.',
  params: { address, settings: record(text({ max: 10_000 }), { max: 50 }) },
  answer: shape({ rows: list(shape({ name: told, before: orNull(told), after: orNull(told) }), { max: 50 }) }),
  run: async ({ cluster }, params) => {
    const names = Object.keys(params.settings)
    if (names.length === 0) throw new Problem(400, 'ARGUMENT', 'settings is empty: name what is to be changed')
    const before = shownValues(await brokerConfig(cluster.session, params.address))
    await setBrokerConfig(cluster.session, { brokerAddr: params.address }, params.settings)
    const after = shownValues(await brokerConfig(cluster.session, params.address))
    return { rows: names.map(name => ({ name, before: before[name] ?? null, after: after[name] ?? null })) }
  },
})

/** Has it make room. */
export const brokerClean = endpoint({
  name: 'broker/clean',
  method: 'POST',
  role: 'admin',
  help: 'Has a broker remove what it no longer needs: queue files below the log, queues of topics that are gone, or expired files of the log.',
  params: { address, what: oneOf('consumeQueues', 'unusedTopics', 'commitLog') },
  answer: takenBy,
  run: async ({ cluster }, params) => ({
    addresses: await cleanBrokers(cluster.session, { brokerAddr: params.address }, params.what),
  }),
})

/** Takes a broker out of the routes of producers, or back in. */
export const brokerWrite = endpoint({
  name: 'broker/write',
  method: 'POST',
  role: 'admin',
  help: 'Has name servers tell producers no queue of a broker any more (before maintenance), or tell them again.',
  params: { broker: brokerName, allow: bool() },
  answer: shape({ changed: list(shape({ address: told, topics: int() }), { max: 100 }) }),
  run: async ({ cluster }, { broker: name, allow }) => {
    const done = await (allow ? addWritePerm : wipeWritePerm)(cluster.session, name)
    return { changed: done.map(({ address: at, topics }) => ({ address: at, topics })) }
  },
})

/** Who is connected. */
export const brokerClients = endpoint({
  name: 'broker/clients',
  method: 'GET',
  role: 'view',
  help: 'Producers that are connected to a broker.',
  params: { address },
  answer: limited(shape({ group: told, client: clientRow, lastUpdateMs: ms }), maxClients),
  run: async ({ cluster }, params) => {
    const rows = (await producers(cluster.session, params.address)).map(({ group, lastUpdateMs, ...client }) => {
      return { group, client, lastUpdateMs }
    })
    return cutTo(rows, maxClients)
  },
})

/** What each name server knows. */
export const nameServers = endpoint({
  name: 'name-servers',
  method: 'GET',
  role: 'view',
  help: 'What each name server knows of brokers and topics, and its settings.',
  params: {},
  answer: shape({
    rows: list(
      shape({
        address: told,
        brokers: list(shape({ name: told, address: told, clusterName: told }), { max: 10_000 }),
        topics: count,
        settings: record(told, { max: 1_000 }),
        problem: orNull(told),
      }),
      { max: 100 },
    ),
  }),
  run: async ({ cluster }) => {
    const { session } = cluster
    const [views, configs] = await Promise.all([nameServerViews(session), nameServerConfigs(session).catch(() => [])])
    return {
      rows: views.map(({ address: at, brokers, topics, problem }) => ({
        address: at,
        brokers: brokers.map(one => ({ name: one.name, address: one.address, clusterName: one.clusterName })),
        topics: topics.size,
        settings: shownValues(configs.find(one => one.address === at)?.settings ?? {}),
        problem: problem ?? null,
      })),
    }
  },
})

/** Whether access control is on, and how new its files are. */
export const access = endpoint({
  name: 'access',
  method: 'GET',
  role: 'view',
  help: 'Which brokers have access control on, and the versions of their files of accounts. Secrets are not told.',
  params: {},
  answer: shape({
    brokers: list(shape({ brokerName: told, address: told, enabled: orNull(bool()) }), { max: 1_000 }),
    files: list(shape({ brokerName: told, file: told, version: int(), changedAtMs: ms }), { max: 1_000 }),
    problems: list(told, { max: 100 }),
  }),
  run: async ({ cluster }) => {
    const masters = await cluster.masters()
    const brokers = await each(masters, async ({ brokerName: name, address: at }) => {
      const settings = await brokerConfig(cluster.session, at).catch(() => undefined)
      const told = settings?.['aclEnable'] ?? settings?.['authenticationEnabled']
      return { brokerName: name, address: at, enabled: told === undefined ? null : told === 'true' }
    })
    const on = brokers.filter(({ enabled }) => enabled)
    const problems: string[] = []
    const files = await each(on, async ({ address: at }) => {
      try {
        return await aclVersions(cluster.session, { brokerAddr: at })
      } catch (error) {
        if (!(error instanceof AdminError)) throw error
        problems.push(error.message)
        return []
      }
    })
    const rows = files.flat().map(({ brokerName: name, file, version, changedAtMs }) => {
      return { brokerName: name, file, version, changedAtMs }
    })
    return { brokers, files: rows, problems: problems.slice(0, 100) }
  },
})
