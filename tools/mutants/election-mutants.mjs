import { mutant } from './mutant.mjs'

const skua = name => `packages/skua/test/${name}.test.ts`
const election = (name, file, from, to, more = {}) =>
  mutant(name, `broker/src/election/${file}`, from, to, {
    tests: ['packages/broker/test/election/in-sync.test.ts', skua('election'), skua('crash/crash')],
    ...more,
  })
const doubt = (name, from, to, more = {}) =>
  mutant(name, 'client/src/route/route-doubt.ts', from, to, {
    tests: ['packages/client/test/route/route-doubt.test.ts'],
    ...more,
  })

/** Brokers that choose their master: who may be it, for whom it waits, and what clients do meanwhile. */
export const electionMutants = [
  election(
    'somebody who is not of the set takes the lease',
    'election.ts',
    'if (!inSync.members.includes(book.member))',
    'if (inSync.members.length === 0)',
  ),
  election(
    'a machine that lost its power stays in the set',
    'election.ts',
    'if (this.mayLack) await this.leaveSet(seen.group)',
    'this.mayLack = false',
    { tests: [skua('crash/power-election')] },
  ),
  election(
    'a master that was away begins as one though others are there',
    'election.ts',
    ' && !this.hasRival(group)) {',
    ') {',
    {
      equal:
        'of those of the set any may be the master; it is for the one that is up already to be it some milliseconds sooner',
    },
  ),
  election(
    'a slave that lacks tables is of the set',
    'election.ts',
    "const haFrom = side === undefined || book.unfit !== undefined ? '' : ",
    "const haFrom = side === undefined ? '' : ",
    { equal: 'it refuses the lease all the same (against), for the moment that the tables take' },
  ),
  election(
    'whoever was configured as a slave forgets that sends waited for others',
    'election.ts',
    '(this.groupRole ?? book.masterRole)',
    'book.masterRole',
  ),
  election(
    'a master of which another one was elected goes on',
    'election.ts',
    'if (isMaster) return this.becomeSlave(group, side)',
    'if (isMaster) return',
  ),
  election(
    'a lease counts from when its renewal was answered',
    'membership.ts',
    'return { group, renewedMs }',
    'return { group, renewedMs: clock.monotonic() }',
    { tests: ['packages/broker/test/election/membership.test.ts'] },
  ),
  election(
    'the margin of the lease counts for nothing',
    'election.ts',
    'this.membership.ttlMs - this.parts.marginMs',
    'this.membership.ttlMs + this.parts.marginMs',
  ),
  election('a slave is of the set before it has what was there', 'in-sync.ts', 'state.confirmedTo >= end)', 'end > 0)'),
  election(
    'a slave is waited for once it is written that it is of the set',
    'in-sync.ts',
    'const wanted = new Set([...this.joining.values()].map(({ state }) => state))',
    'const wanted = new Set<SlaveState>()',
  ),
  election(
    'one of the set that has gone is waited for no longer',
    'in-sync.ts',
    'if (state === undefined) missing++\n',
    'if (state === undefined) continue\n',
  ),
  election(
    'what a write of unknown outcome may have added is forgotten',
    'in-sync.ts',
    'const others = [...new Set([...this.known, ...this.perhaps])]',
    'const others = this.known',
  ),
  election(
    'the set is written whoever has the lease',
    'in-sync.ts',
    'const when = { [keys.master]: master.revision, [keys.inSync]: inSync.revision }',
    'const when = {}',
  ),
  election(
    'an ASYNC_MASTER without its lease goes on',
    'lease-guard.ts',
    '(waitsForOthers && progress.available)',
    'progress.available',
  ),
  election(
    'a SYNC_MASTER without its lease and without slaves goes on',
    'lease-guard.ts',
    '(waitsForOthers && progress.available)',
    'waitsForOthers',
  ),
  election(
    'an ASYNC_MASTER that stood still for longer than its lease takes what came meanwhile',
    'lease-guard.ts',
    '    if (!parts.waitsForOthers) parts.beforeAppends(() => this.look())\n',
    '',
    { tests: ['packages/broker/test/election/lease-guard.test.ts'] },
  ),
  election(
    'a timer that runs a millisecond early never comes again',
    'lease-guard.ts',
    'if (clock.monotonic() < this.untilMs) this.arm()\n      else this.look()',
    'this.look()',
    { tests: ['packages/broker/test/election/lease-guard.test.ts'] },
  ),
  election(
    'what was refused since it was done already is no member',
    'in-sync.ts',
    '    if (!isDone) return\n    // Nothing',
    '    if (!isDone) this.perhaps = []\n    if (!isDone) return\n    // Nothing',
    { tests: ['packages/broker/test/election/in-sync-twice.test.ts'] },
  ),
  mutant(
    'a connection of the slaves’ port counts until its socket says that it is closed',
    'broker/src/ha/slave-connection.ts',
    '    this.gone(reason)\n    this.socket.destroy()\n',
    '    this.reason = reason\n    this.socket.destroy()\n',
    { tests: ['packages/broker/test/ha/slave-connection.test.ts'] },
  ),
  doubt(
    'a broker without a master is asked about once',
    'routes.master(name) === undefined ? this.pauseMs < pollMs : ',
    '',
  ),
  doubt(
    'name servers are asked without a pause',
    'const ms = Math.max(0, this.askedMs + pauseMs - clock.monotonic())',
    'const ms = pauseMs / 1000',
  ),
  doubt('what has changed is taken for one topic alone', 'if (isNew) await changed()\n', ''),
]
