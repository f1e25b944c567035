// What the long test run does, in this order. A suite is a command that is repeated `rounds` times, each round with a
// seed of its own; `counts` is what a round adds to the figures. The last one takes what the budget leaves.
import { readFileSync } from 'node:fs'
import { basename, delimiter, dirname } from 'node:path'
import { testFiles } from './files.mjs'

const source = ['--conditions=skua-source', '--import', 'tsx']
const reporter = ['--test-reporter=./tools/test/dots.mjs', '--test-reporter-destination=stdout']
const tests = [...source, '--import', './tools/test/end-file.mjs', '--test', '--test-concurrency=1', ...reporter]
const crashBatch = 100

const file = (name, path, { env = () => ({}), rounds = 1, counts = {} } = {}) => ({
  ...{ name, rounds, counts, command: process.execPath, env },
  arguments: [...tests, ...[path].flat()],
})

/** What a `.long.ts` is given beside the seed, by its name, and what that adds to the figures. */
const longPlans = {
  damage: { counts: { histories: 300 } },
  // Some 10 minutes: 40 s a kill, and twice 3 kills of a single name.
  clients: { env: { SKUA_CLIENT_KILLS: '8' }, counts: { kills: 14 } },
  // Some 5 minutes.
  partitions: { env: { SKUA_PARTITION_MS: '15000' }, counts: { faults: 14 } },
}

const longFile = path => {
  const name = basename(path, '.long.ts')
  const { env = {}, counts = {} } = longPlans[name] ?? {}
  return file(name, path, { env: seed => ({ SKUA_SEED: String(seed), ...env }), counts })
}

const propertyFiles = () => testFiles('packages').filter(path => readFileSync(path, 'utf8').includes("'fast-check'"))

/** `seed` is an integer from 1 to 2^31 - 1. */
export const longSuites = () => [
  file('model of the store', 'packages/store/test/model.test.ts', {
    env: () => ({ SKUA_MODEL_RUNS: '2000' }),
    counts: { histories: 2000 },
  }),
  file('model of a slave', 'packages/store/test/replica.test.ts', {
    env: () => ({ SKUA_REPLICA_RUNS: '2000' }),
    counts: { histories: 2000 },
  }),
  {
    ...file('properties', propertyFiles(), {
      env: seed => ({ SKUA_PROPERTY_SEED: String(seed) }),
      rounds: 10,
      counts: { seeds: 1 },
    }),
    arguments: [
      ...source,
      '--import',
      './tools/test/seed-properties.mjs',
      ...tests.slice(source.length),
      ...propertyFiles(),
    ],
  },
  file('signed requests, changed', 'packages/broker/test/acl/mutated.test.ts', {
    env: seed => ({ SKUA_ACL_MUTANTS: '100000', SKUA_SEED: String(seed) }),
    counts: { requests: 100_000 },
  }),
  file('kills', 'packages/skua/test/kill.test.ts', { env: () => ({ SKUA_KILL_ROUNDS: '50' }), counts: { kills: 50 } }),
  file('kills amid retries, delays and transactions', 'packages/skua/test/flows-kill.test.ts', {
    env: () => ({ SKUA_FLOW_KILLS: '50' }),
    counts: { kills: 50 },
  }),
  file('kills amid pops', 'packages/skua/test/pop-kill.test.ts', {
    env: () => ({ SKUA_POP_KILLS: '8' }),
    counts: { kills: 8 },
  }),
  file('abuse', 'packages/skua/test/abuse.test.ts', {
    env: seed => ({ SKUA_ABUSE_SECONDS: '60', SKUA_SEED: String(seed) }),
    counts: { seconds: 60 },
  }),
  file('abuse of servers by cases', 'packages/skua/test/abuse/abuse.test.ts', {
    env: () => ({ SKUA_ABUSE_CASE_SECONDS: '300', SKUA_ABUSE_MOST_WAIT_MS: '250' }),
    counts: { seconds: 3000 },
  }),
  file('official benchmark producer', 'tools/interop/test/benchmark.test.ts', {
    env: () => ({ SKUA_BENCHMARK_REPORTS: '6' }),
    counts: { seconds: 60 },
  }),
  file('strict order with crashes', 'tools/interop/test/java-order.test.ts', {
    env: () => ({ SKUA_ORDER_CRASHES: '1' }),
  }),
  file(
    'Java client 5.4.0',
    testFiles('tools/interop/test').filter(path => basename(path).startsWith('java-')),
    { env: () => ({ SKUA_JAVA_CLIENTS: '5.4.0' }) },
  ),
  {
    ...{ name: 'mutants', rounds: 1, counts: {}, command: process.execPath, env: () => ({}) },
    arguments: ['tools/mutants/run.mjs'],
  },
  file('churn of members', 'packages/skua/test/client/churn.test.ts', { env: () => ({ SKUA_CHURN_MS: '60000' }) }),
  file('mixed group', 'tools/interop/test/mixed-group.test.ts', { env: () => ({ SKUA_MIXED_MS: '60000' }) }),
  ...['packages', 'tools', 'examples'].flatMap(root => testFiles(root, '.long.ts')).map(longFile),
  ...['4.9.7', '5.3.3'].map(version => ({
    ...{ name: `interop tests before RocketMQ ${version}`, rounds: 1, counts: {}, command: process.execPath },
    arguments: [...source, 'tools/interop/src/reference/prove.ts', version],
    env: () => ({}),
  })),
  ...['4.9.7', '5.3.3'].map(version => ({
    ...{ name: `SDK before RocketMQ ${version}`, rounds: 1, counts: {}, command: process.execPath },
    arguments: [...source, 'tools/interop/src/reference/prove.ts', version, ...testFiles('packages/skua/test/client')],
    env: () => ({}),
  })),
  ...(process.env.SKUA_NODES ?? '')
    .split(',')
    .filter(node => node !== '')
    .map(node => ({
      ...{ name: `the short suites on ${basename(node)} of ${dirname(node)}`, rounds: 1, counts: {}, command: node },
      arguments: ['tools/test/run.mjs'],
      // What tests start by name is that Node too.
      env: () => ({ PATH: `${dirname(node)}${delimiter}${process.env.PATH}` }),
    })),
  // Each seed is a history of a broker and one of a master with its slave.
  file('broker and cluster histories', 'packages/skua/test/crash/crash.test.ts', {
    env: seed => ({ SKUA_BROKER_ROUNDS: '100', SKUA_BROKER_SEED: String(seed) }),
    rounds: 20,
    counts: { histories: 200 },
  }),
  file('crash histories', 'packages/store/test/crash.test.ts', {
    env: seed => ({ SKUA_CRASH_ROUNDS: String(crashBatch), SKUA_CRASH_SEED: String(seed) }),
    rounds: 10_000 / crashBatch,
    counts: { histories: crashBatch },
  }),
]
