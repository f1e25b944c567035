/** What the source must look like (style: files, functions, limits; where things go). The test beside it enforces it. */

/** Packages in the order in which arrows may point: a package may import those before it, if it declares them. */
export const packageOrder = [
  'protocol',
  'runtime',
  'remoting',
  'store',
  'nameserver',
  'client',
  'filter-server',
  'broker',
  'admin',
  'dashboard',
  'gateway',
  'testing',
  'nestjs',
  'skua',
] as const

/** Calls and modules that only `runtime` may use. */
export const runtimeOnly: readonly { pattern: RegExp; what: string }[] = [
  { pattern: /\bDate\.now\(/, what: 'Date.now' },
  { pattern: /\bnew Date\(\)/, what: 'new Date()' },
  { pattern: /\bsetTimeout\(/, what: 'setTimeout' },
  { pattern: /\bsetInterval\(/, what: 'setInterval' },
  { pattern: /\bsetImmediate\(/, what: 'setImmediate' },
  { pattern: /\bqueueMicrotask\(/, what: 'queueMicrotask' },
  { pattern: /\bprocess\.nextTick\(/, what: 'process.nextTick' },
  { pattern: /\bperformance\.now\(/, what: 'performance.now' },
  { pattern: /\bMath\.random\(/, what: 'Math.random' },
  { pattern: /\brandomUUID\b/, what: 'randomUUID' },
  {
    pattern: /from 'node:(fs|fs\/promises|net|tls|dgram|http|http2|https|child_process|timers|timers\/promises)'/,
    what: 'a module of the machine',
  },
]

/** Files that may touch the machine although they are outside `runtime`, each with its reason. */
export const machineExceptions: Readonly<Record<string, string>> = {
  'packages/skua/src/command/standalone.ts': 'RssAnon in /proc, whose files have no length that a Disk could read by',
  'packages/skua/src/command/store-write.ts': 'streams of lines to and from files that are no store',
  'packages/dashboard/src/access/who.ts': 'types of node:http: the request handler is for servers of users',
  'packages/dashboard/src/dashboard.ts': 'types of node:http: the request handler is for servers of users',
  'packages/dashboard/src/http/answer.ts': 'types of node:http: the request handler is for servers of users',
  'packages/dashboard/src/http/handler.ts': 'types of node:http: the request handler is for servers of users',
  'packages/dashboard/src/http/reader.ts': 'types of node:http: the request handler is for servers of users',
  'packages/dashboard/src/http/listen.ts':
    'the server of a dashboard that stands alone: bodies and streams, which Http has not',
  'packages/testing/src/control/control-server.ts': 'an HTTP endpoint with bodies, for tests alone',
  'packages/skua/src/command/test-broker.ts': 'what its standard input is',
  'packages/skua/src/command-path.ts': 'where the built command lies',
  'packages/skua/src/dashboard-process.ts': 'starts and ends processes',
  'packages/skua/src/filter-process.ts': 'starts and ends processes',
  'packages/skua/src/masters/member-process.ts': 'starts and ends processes',
  'packages/skua/src/command/run.ts': 'signals of the process, and the end of its patience with a stop',
}

/** Longest file, in lines; a listed one may shrink, never grow (the ratchet). */
export const fileLimit = 500
export const fileExceptions: Readonly<Record<string, number>> = {}

/** Longest function, in lines; a listed one may shrink, never grow. They put parts together, a line or two each. */
export const functionLimit = 60
export const functionExceptions: Readonly<Record<string, number>> = {
  'packages/client/src/consume/push-parts.ts pushParts': 66,
}

export const forbiddenFolders = /\/(utils?|common|helpers?|misc)\//

export const forbiddenText: readonly { pattern: RegExp; what: string }[] = [
  { pattern: /^export default\b/m, what: 'a default export' },
  { pattern: /^\s*(export )?(const )?enum\s/m, what: 'an enum' },
  { pattern: /\bclass \w+(Manager|Helper|Impl)\b/, what: 'a class called Manager, Helper or Impl' },
]
