import { mutant } from './mutant.mjs'

const skua = name => `packages/skua/test/${name}.test.ts`
const roles = { tests: [skua('roles')] }
const silence = { tests: [skua('slave-silence')] }
const wholeLog = { tests: [skua('whole-log')] }

/** Masters and slaves: what is acknowledged, who takes whose place, and what becomes of what only one of them has. */
export const clusterMutants = [
  mutant(
    'a send is acknowledged before a slave has it',
    'store/src/append/answers.ts',
    'if (slot.needsSlave && slot.end <= (this.replicas?.confirmedOffset ?? 0)) {',
    'if (slot.needsSlave) {',
    { tests: [skua('replication')] },
  ),
  mutant(
    'who waits for the last slave is not told that it has gone',
    'broker/src/ha/slave-progress.ts',
    'if (this.slaves.delete(slave)) this.faltered()',
    'this.slaves.delete(slave)',
    silence,
  ),
  mutant(
    'a slave that vanished is waited for',
    'broker/src/ha/slave-connection.ts',
    '        this.keepsUp = false\n',
    '',
    silence,
  ),
  mutant(
    'a slave that gets on slowly counts as vanished',
    'broker/src/ha/slave-connection.ts',
    '      this.owingSinceMs = has < sent ? this.keptUpMs : undefined\n',
    '      if (has >= sent) this.owingSinceMs = undefined\n',
    silence,
  ),
  mutant(
    'a slave with less than another one is promoted',
    'broker/src/role/role-changes.ts',
    'else if (info.maxOffset > logEnd) {',
    'else if (info.maxOffset < 0) {',
    roles,
  ),
  mutant(
    'a slave is promoted beside a master that lives',
    'broker/src/role/role-changes.ts',
    'if (isMasterThatLives(peer))',
    'if (info.maxOffset < 0)',
    roles,
  ),
  mutant(
    'a master is demoted while no slave has all',
    'broker/src/role/role-changes.ts',
    '    if (has >= end) return undefined\n',
    '    if (has >= 0) return undefined\n',
    roles,
  ),
  mutant(
    'groups and delays of the former master are not taken',
    'broker/src/role/role-changes.ts',
    '        await following.takeFrom(header.takeFrom)\n',
    '',
    roles,
  ),
  mutant(
    'topics of the last seconds are lost with the master',
    'broker/src/ha/table-sync.ts',
    'for (const topic of this.unknown) if (this.parts.topics.find(topic) === undefined) this.parts.topics.ensure(topic)',
    '',
    roles,
  ),
  mutant(
    'a promotion is no new epoch',
    'broker/src/role/role-book.ts',
    'return Math.max(this.clock.now(), ...[this.epoch, ...known].map(epoch => epoch + 1))',
    'return Math.max(this.epoch, ...known)',
    roles,
  ),
  mutant(
    'a role that was given is forgotten at a restart',
    'broker/src/role/role-book.ts',
    '    return { brokerRole, brokerId }\n',
    '    return configured\n',
    roles,
  ),
  mutant(
    'a master that comes back looks for no other',
    'broker/src/role/rival-watch.ts',
    'if (outranks(epoch, book.epoch)) return this.stepDown(peers, { master, epoch })',
    'if (epoch < 0) return this.stepDown(peers, { master, epoch })',
    roles,
  ),
  mutant(
    'the end of a log is not compared',
    'broker/src/ha/log-comparison.ts',
    '    if (!own.subarray(compared, compared + length).equals(bytes.subarray(0, length))) return undefined\n',
    '',
    roles,
  ),
  mutant(
    'a log is cut for a master of no later epoch',
    'broker/src/ha/master-link.ts',
    'if (info === undefined || !outranks(info.epoch, role.epoch)) {',
    'if (info === undefined) {',
    roles,
  ),
  mutant(
    'topics are taken of a master whose log is another one',
    'broker/src/ha/table-sync.ts',
    '    if (!link.isFollowing && store.maxPhysicalOffset > 0) return\n',
    '',
    roles,
  ),
  mutant(
    'offsets stay behind a cut',
    'broker/src/offset/feature.ts',
    "if (config.brokerRole !== 'SLAVE' || store.tailCut !== undefined) cutToLog()",
    "if (config.brokerRole !== 'SLAVE') cutToLog()",
    roles,
  ),
  mutant(
    'an index goes on behind a cut',
    'store/src/recovery/recovery.ts',
    '    if (first >= 0) index?.discardFrom(first)\n',
    '',
    { tests: ['packages/store/test/tail-cut.test.ts'] },
  ),
  mutant(
    'what is cut is not kept',
    'store/src/recovery/tail-cut.ts',
    '  if (within !== undefined && within.base < at) await copy(disk, within, { directory, size: segments.size })\n',
    '',
    { tests: ['packages/store/test/tail-cut.test.ts'] },
  ),
  mutant(
    'a slave that lacks a part of the log is promoted',
    'broker/src/role/role-changes.ts',
    'const copying = following?.copying()',
    'const copying = undefined',
    wholeLog,
  ),
  mutant(
    'an empty slave takes the last file only',
    'broker/src/ha/master-link.ts',
    '    if (!settings.copiesWholeLog) return',
    '    if (settings.copiesWholeLog) return',
    wholeLog,
  ),
]
