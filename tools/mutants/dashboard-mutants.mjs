import { mutant } from './mutant.mjs'

const dashboard = (name, file, from, to, tests, more = {}) =>
  mutant(`dashboard: ${name}`, `dashboard/${file}`, from, to, {
    tests: tests.map(each => `packages/dashboard/test/${each}.test.ts`),
    ...more,
  })

/** The dashboard: who is let in, what a change needs, what is bounded, and that actions do what they say. */
export const dashboardMutants = [
  dashboard(
    'any name of the host is ours',
    'src/access/origin.ts',
    'if (ownNames.has(host) || hosts.has(host)) return',
    'if (host !== null) return',
    ['access'],
  ),
  dashboard(
    'a page at another port of this machine may ask',
    'src/access/origin.ts',
    "return authority === one(headers['host'])?.toLowerCase() || origins.has(authority)",
    "return hostOf(authority) === hostOf(one(headers['host']) ?? '') || origins.has(authority)",
    ['access'],
  ),
  dashboard(
    'changes need no header of their own',
    'src/access/origin.ts',
    "if (one(headers[ownHeader]) !== '1')",
    "if (one(headers[ownHeader]) === '2')",
    ['access'],
  ),
  dashboard(
    'a viewer may change',
    'src/http/call.ts',
    "if (endpoint.role === 'admin' && user.role !== 'admin')",
    "if (endpoint.role === 'admin' && user.role === 'nobody')",
    ['access'],
  ),
  dashboard(
    'nobody has to say who he is',
    'src/access/who.ts',
    'return session === undefined ? undefined : accounts.current(session.name, session.proof)',
    "return session === undefined ? { name: 'x', role: 'view' } : accounts.current(session.name, session.proof)",
    ['access'],
  ),
  dashboard(
    'a session outlives its account',
    'src/access/who.ts',
    'return session === undefined ? undefined : accounts.current(session.name, session.proof)',
    "return session === undefined ? undefined : { name: session.name, role: 'view' }",
    ['access'],
  ),
  dashboard(
    'any password is right',
    'src/access/accounts.ts',
    'const isRight = key.length === account.hash.length && timingSafeEqual(key, account.hash)',
    'const isRight = key.length === account.hash.length',
    ['access'],
  ),
  dashboard(
    'an answer is given to the socket as a whole',
    'src/http/reader.ts',
    'bytes.length <= sliceBytes)',
    'bytes.length <= 1e9)',
    ['reader'],
  ),
  dashboard('each wait for a reader leaves a listener', 'src/http/reader.ts', "response.off('close', end)", '', [
    'reader',
  ]),
  dashboard('somebody who reads nothing is waited for for ever', 'src/http/reader.ts', 'response.destroy()\n', '\n', [
    'reader',
  ]),
  dashboard('a session outlives its password', 'src/access/accounts.ts', '|| proofOf(account) !== proof', '', [
    'doors',
  ]),
  dashboard(
    'a promise is somebody',
    'src/access/who.ts',
    "if (typeof name === 'string' && (role === 'view' || role === 'admin'))",
    'if (name !== null)',
    ['doors'],
  ),
  dashboard('a proxy lets everybody in', 'src/access/who.ts', ' && !isForOthers(request)', '', ['doors']),
  dashboard('a password that nobody looked at counts', 'src/http/login.ts', 'tries.notTried(name, from)', '', [
    'doors',
  ]),
  dashboard('passwords may be tried for ever', 'src/http/login.ts', 'if (waitMs > 0) {', 'if (waitMs > 1e12) {', [
    'access',
  ]),
  dashboard(
    'any address is listened at without accounts',
    'src/http/listen.ts',
    'if (!isLoopback(host) && options.accounts === undefined && options.authorize === undefined)',
    'if (host === null)',
    ['access'],
  ),
  dashboard('scripts see the cookie', 'src/http/login.ts', '; HttpOnly; SameSite=Strict', '; SameSite=Strict', [
    'access',
  ]),
  dashboard('bodies stand in the list of changes', 'src/change-log.ts', "name === 'body' || isSecret(name)", 'false', [
    'access',
  ]),
  dashboard(
    'requests are not bounded',
    'src/http/call.ts',
    'dashboard.running >= maxRequests',
    'dashboard.running < 0',
    ['api'],
  ),
  dashboard('streams are not bounded', 'src/streams.ts', 'if (this.all >= this.most)', 'if (this.all < 0)', [
    'streams',
  ]),
  dashboard('one user may take all streams', 'src/streams.ts', 'if (own >= this.mostOfOne)', 'if (own < 0)', [
    'streams',
  ]),
  dashboard(
    'a page of large bodies has no bound in bytes',
    'src/browse.ts',
    '>= maxPageBytes)',
    '>= Number.POSITIVE_INFINITY)',
    ['large-bodies'],
  ),
  dashboard(
    'a look of a live tail has no bound in bytes',
    'src/endpoints/live.ts',
    'if (offset > begin && seen.bytes >= maxLookBytes) {',
    'if (offset > begin && seen.bytes < 0) {',
    ['large-bodies'],
  ),
  dashboard(
    'what all hold together has no bound',
    'src/read-budget.ts',
    'if (this.waiting.length === 0 && this.held + bytes <= this.most) {',
    'if (bytes >= 0) {',
    ['large-bodies'],
  ),
  dashboard(
    'bodies of a download are cut',
    'src/endpoints/export.ts',
    'signal }, wholeMessageOf)',
    'signal }, messageDetailOf)',
    ['large-bodies'],
  ),
  dashboard('what was changed is not kept', 'src/change-log.ts', 'this.file?.add(change)', 'void change', [
    'change-file',
  ]),
  dashboard(
    'an answer may take for ever',
    'src/http/call.ts',
    'const ms = endpoint.timeMs ?? answerMs',
    'const ms = 1e9',
    ['api'],
  ),
  dashboard(
    'pages do not share answers',
    'src/cache.ts',
    'if (kept !== undefined && this.clock.monotonic() < kept.untilMs)',
    'if (kept !== undefined && kept.untilMs < 0)',
    ['api'],
  ),
  dashboard(
    'a topic is deleted without its name',
    'src/endpoints/where.ts',
    'if (confirm !== name)',
    "if (confirm === '')",
    ['api'],
  ),
  dashboard(
    'a group is deleted while members are online',
    'src/endpoints/groups.ts',
    'if (online !== undefined)\n      throw',
    'if (online === null)\n      throw',
    ['api'],
  ),
  dashboard(
    'a reset goes to the other end',
    'src/endpoints/offsets.ts',
    "if (to === 'earliest') return { end: 'min' }",
    "if (to === 'earliest') return { end: 'max' }",
    ['api'],
  ),
  dashboard(
    'what would be skipped is not counted',
    'src/endpoints/offsets.ts',
    'sum + Math.max(0, to - (from ?? to))',
    'sum + Math.max(0, (from ?? to) - to)',
    ['api'],
  ),
  dashboard(
    'a dry undo moves the group',
    'src/endpoints/offsets.ts',
    "dryRun === 'yes' ? ('planned' as const)",
    "dryRun === 'no' ? ('planned' as const)",
    ['api'],
  ),
  dashboard(
    'newest first leaves messages out at the end of a page',
    'src/browse.ts',
    'this.at = this.isBack ? message.queueOffset : message.queueOffset + 1',
    'this.at = this.isBack ? message.queueOffset - 1 : message.queueOffset + 1',
    ['api'],
  ),
  dashboard('a changed dead letter is sent as it was', 'src/endpoints/dead-letters.ts', '{ changes })', '{})', ['api']),
  dashboard(
    'what ends names on the wire is sent',
    'src/endpoints/live.ts',
    "if (name !== '' && !ends.some(",
    "if (name !== '' || !ends.some(",
    ['api'],
  ),
  dashboard(
    'an answer has what the document does not say',
    'src/endpoints/overview.ts',
    'return { nameServers: servers, brokers,',
    'return { more: 1, nameServers: servers, brokers,',
    ['api'],
  ),
  dashboard(
    'a component holds a text of its own',
    'page/pages/changes.tsx',
    "<h1>{t('changes')}</h1>",
    '<h1>Changes</h1>',
    ['texts'],
  ),
]
