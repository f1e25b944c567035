// The list of npm run test:mutants. What belongs to one subject stands in a file of its own.
import { accessMutants } from './access-mutants.mjs'
import { clientMutants } from './client-mutants.mjs'
import { clusterMutants } from './cluster-mutants.mjs'
import { crowdMutants } from './crowd-mutants.mjs'
import { dashboardMutants } from './dashboard-mutants.mjs'
import { electionMutants } from './election-mutants.mjs'
import { gatewayMutants } from './gateway-mutants.mjs'
import { mutant } from './mutant.mjs'
import { popMutants } from './pop-mutants.mjs'
import { timerMutants } from './timer-mutants.mjs'
import { turnMutants } from './turn-mutants.mjs'

export const mutants = [
  ...popMutants,
  ...timerMutants,
  ...accessMutants,
  ...dashboardMutants,
  ...gatewayMutants,
  ...clientMutants,
  ...turnMutants,
  ...clusterMutants,
  ...crowdMutants,
  ...electionMutants,
  // Store: what lies in memory while somebody reads it.
  mutant('slices of cold reads are not pinned', 'store/src/read/cold-read.ts', '    pin.pins++\n', ''),
  mutant('slices of the ring are not pinned', 'store/src/read/queue-read.ts', '  chunk.pins++\n', ''),
  mutant(
    'ring chunks are reused while pinned',
    'store/src/commit-log/log-ring.ts',
    'if (chunk.pins === 0 && chunk.bytes.length',
    'if (chunk.bytes.length',
  ),
  mutant(
    'blocks are reused while pinned',
    'store/src/read/log-blocks.ts',
    'if (block.pins === 0 && this.spare',
    'if (this.spare',
  ),
  mutant(
    'a shared block is pinned once for all waiters',
    'store/src/read/log-blocks.ts',
    'pins: loading.waiters }',
    'pins: 1 }',
  ),
  // Store: syncs, and what may be believed.
  mutant(
    'retention deletes what is not synced',
    'store/src/retention/retention.ts',
    'sealedBelow(this.parts.flush.synced)',
    'sealedBelow(Number.MAX_SAFE_INTEGER)',
    { equal: 'what may go is counted up to the synced end before (expired); this is the second line' },
  ),
  mutant(
    'retention does not wait for the queues',
    'store/src/retention/retention.ts',
    '    await this.parts.dispatchFlush.settle()\n',
    '',
  ),
  mutant(
    'retention deletes what came while it waited',
    'store/src/retention/retention.ts',
    'base + segments.size <= end)',
    'base >= 0 || end < 0)',
  ),
  mutant(
    'removals are not synced',
    'store/src/commit-log/segments.ts',
    '    await this.disk.syncDirectoryLater(this.directory)\n',
    '',
  ),
  mutant(
    'new segments are not synced by name',
    'store/src/commit-log/segments.ts',
    '    this.files.syncDirectory(this.directory)\n    this.list.push(segment)',
    '    this.list.push(segment)',
  ),
  mutant(
    'zeros behind the end are not synced',
    'store/src/commit-log/segments.ts',
    '      await handle.file.syncData()\n',
    '',
  ),
  mutant(
    'files of queues are believed after a failed fdatasync',
    'store/src/file/dirty-files.ts',
    '      if (this.suspect.has(path)) await rewrite(handle.file)\n',
    '',
  ),
  mutant(
    'files whose sync failed are forgotten',
    'store/src/file/dirty-files.ts',
    '      for (const left of paths) this.unsynced.add(left)\n',
    '',
  ),
  mutant(
    'names of queues are not synced',
    'store/src/file/dirty-files.ts',
    '    for (const each of [directory, parentOf(directory), root, parentOf(root)]) this.newNames.add(each)\n',
    '',
  ),
  mutant(
    'the point moves before the queues are synced',
    'store/src/flush/dispatch-flush.ts',
    '    if (!(await this.syncFiles(indexFiles))) return false\n',
    '',
  ),
  mutant(
    'damage behind a hurried stop is taken for a torn end',
    'store/src/recovery/recovery.ts',
    'stoppedAt <= log.segments.end ? stoppedAt : 0',
    '0',
  ),
  mutant(
    'the point runs ahead of the log on the medium',
    'store/src/flush/dispatch-flush.ts',
    'if (parts.logFlush.synced < round.point.physicalOffset) {',
    'if (parts.logFlush.synced < 0) {',
  ),
  mutant(
    'a failed fdatasync is not noted',
    'store/src/flush/suspicion.ts',
    '      this.files.opened(() => this.disk.writeFile(this.path, Buffer.from(what)))\n',
    '',
  ),
  mutant(
    'rewriting brings old bytes back',
    'store/src/file/rewrite.ts',
    '    const length = file.readSync(bytes, 0, wanted, at)\n',
    '    const length = wanted\n',
  ),
  mutant(
    'an index that is made again is believed',
    'store/src/recovery/recovery.ts',
    '    await this.distrustIndex()\n',
    '',
  ),
  mutant(
    'a rebuild believes the old point',
    'store/src/recovery/recovery.ts',
    '    disk.remove(layout.dispatchPoint)\n',
    '',
  ),
  mutant(
    'a start is not marked',
    'store/src/recovery/recovery.ts',
    '    disk.writeFile(layout.abort, new Uint8Array(0))\n',
    '',
  ),
  mutant(
    'a rebuild empties queues without messages',
    'store/src/recovery/recovery.ts',
    '    loadBefore(queues, log.minOffset)\n',
    '',
  ),
  mutant(
    'a queue with a torn file is emptied',
    'store/src/recovery/queue-load.ts',
    'load.run(load.cutToFull(units), cut)',
    'load.run(units, cut)',
    { equal: 'the end of such a queue is found all the same (keepEnd), and the rest is made again from the log' },
  ),
  mutant(
    'bodies are not checked after a crash',
    'store/src/recovery/recovery.ts',
    'checkCrc: config.checkCRCOnRecover,',
    'checkCrc: false,',
  ),
  // Store: descriptors, locks, limits.
  mutant(
    'descriptors of removed files stay open',
    'store/src/file/open-files.ts',
    '    if (handle.pins === 0) handle.file.closeSync()\n',
    '',
  ),
  mutant(
    'pinned descriptors of removed files stay open',
    'store/src/file/open-files.ts',
    '    if (handle.gone && handle.pins === 0) handle.file.closeSync()\n',
    '',
  ),
  mutant(
    'more files than maxOpenFiles',
    'store/src/file/open-files.ts',
    '    if (this.open.size > this.limit) this.closeOldest()\n',
    '',
  ),
  mutant(
    'no idle file makes room on EMFILE',
    'store/src/file/open-files.ts',
    "(code === 'EMFILE' || code === 'ENFILE') && this.closeIdle(closedAtOnce)",
    'false',
  ),
  mutant(
    'a directory whose sync failed is not synced again',
    'store/src/file/dirty-files.ts',
    '        this.newNames.add(directory)\n',
    '',
  ),
  mutant(
    'names are not waited for',
    'store/src/file/dirty-files.ts',
    '    return paths.size === 0 && (await this.syncNames(isOver))\n',
    '    void this.syncNames(isOver)\n    return paths.size === 0\n',
  ),
  mutant(
    'a number of ten digits is taken for an int',
    'broker/src/filter/record-properties.ts',
    'const shortDigits = 9',
    'const shortDigits = 10',
  ),
  mutant(
    'a value is looked for in the record before',
    'broker/src/filter/record-properties.ts',
    '    this.begin()\n    return true',
    '    return true',
  ),
  mutant(
    'the buffer of a window is used again under who looks into it',
    'store/src/read/unit-windows.ts',
    'if (window.pins === 0) this.free',
    'this.free',
  ),
  mutant(
    'a window that is known is not pinned',
    'store/src/read/cold-read.ts',
    '    if (known !== undefined) known.pins++\n',
    '',
  ),
  mutant(
    'a stopped store deletes topics',
    'store/src/store.ts',
    "    if (this.parts.health.has('stopped')) throw new Failure('ESTOPPED', 'the store is not started, or stops')\n",
    '',
  ),
  mutant(
    'a topic is deleted without what its turn has taken',
    'store/src/store.ts',
    '    this.parts.turnWrite.run()\n    try {\n      this.parts.queues.deleteTopic',
    '    try {\n      this.parts.queues.deleteTopic',
  ),
  mutant(
    'delayed messages carry no time of delivery',
    'store/src/special-queue.ts',
    'return level > 0 ? record.storedAtMs + this.delayOf(level) : undefined',
    'return undefined',
  ),
  mutant(
    'the clock of the log goes back',
    'store/src/append/appender.ts',
    'Math.max(this.parts.clock.now(), this.parts.log.lastStoredAtMs)',
    'this.parts.clock.now()',
  ),
  // Remoting.
  mutant(
    'bodies are not copied out of the read buffer',
    'remoting/src/server.ts',
    '    if (command.body !== undefined && !channel.keepFrame()) command.body = Uint8Array.from(command.body)\n',
    '',
  ),
  mutant(
    'the send buffer is reused while the kernel reads it',
    'remoting/src/channel.ts',
    '    this.out = new ByteWriter(2048)\n    account.setUnsent(unsent)',
    '    this.out.at = 0\n    account.setUnsent(unsent)',
  ),
  mutant(
    'maxPendingCalls is ignored',
    'remoting/src/pending-calls.ts',
    'if (this.waiting.size >= this.limit) {',
    'if (this.waiting.size < 0) {',
  ),
  mutant(
    'maxPendingRequests is ignored',
    'remoting/src/gate.ts',
    'if (accounts.running < limit ||',
    'if (accounts.running >= 0 ||',
  ),
  mutant(
    'gates are not asked for hot requests',
    'remoting/src/hot-path.ts',
    '    if (refusal !== undefined) {\n',
    '    if (refusal === null) {\n',
  ),
  mutant(
    'only the first gate is asked',
    'remoting/src/gate.ts',
    '      if (refusal !== undefined) return refusal\n',
    '      return refusal\n',
  ),
  mutant(
    'maxConnections is ignored',
    'remoting/src/server.ts',
    '    if (this.channels.size >= this.limits.maxConnections) {',
    '    if (this.channels.size < 0) {',
    { equal: 'the listeners refuse it before (room); this is the second line' },
  ),
  mutant(
    'who owes too much is not closed',
    'remoting/src/channel.ts',
    '    if (unsent > parts.limits.closeAtUnsentBytes) {',
    '    if (unsent < 0) {',
  ),
  mutant(
    'who owes much is read on',
    'remoting/src/channel.ts',
    '    return this.asked + account.unsent >= this.pauseAtBytes || account.running >= parts.limits.maxRunningRequests\n',
    '    return account.running >= parts.limits.maxRunningRequests\n',
  ),
  mutant(
    'maxRunningRequests is ignored',
    'remoting/src/channel.ts',
    ' || account.running >= parts.limits.maxRunningRequests\n',
    '\n',
  ),
  mutant(
    'a frame may take for ever',
    'remoting/src/channel.ts',
    '    if (nowMs - this.incompleteSinceMs < this.parts.limits.maxFrameMs) return false\n',
    '    if (nowMs >= 0) return false\n',
  ),
  mutant(
    'idle connections stay',
    'remoting/src/channel.ts',
    'nowMs - this.idleSinceMs >= this.parts.limits.idleMs) this.close()',
    'nowMs < 0) this.close()',
  ),
  mutant(
    'no end to the work of a turn',
    'remoting/src/turn-share.ts',
    '    return this.later === undefined || this.clock.monotonic() < this.deadlineMs\n',
    '    return true\n',
  ),
  mutant(
    'the costly do not wait',
    'remoting/src/turn-share.ts',
    'if (spentMs >= costlyMs) this.costlyAtMs = this.begunMs',
    'if (spentMs < 0) this.costlyAtMs = this.begunMs',
  ),
  mutant(
    'slices are released twice',
    'remoting/src/channel.ts',
    '      if (this.sliced.length === before) release()\n      else this.releases.push(release)',
    '      release()\n      this.releases.push(release)',
  ),
  mutant(
    'a closed connection keeps its slices',
    'remoting/src/channel.ts',
    '    for (const release of this.releases.splice(0)) release()\n',
    '',
  ),
  // Broker.
  mutant(
    'results of held pulls are not released',
    'broker/src/pull/pull-handler.ts',
    '    if (!token.open) {\n      this.give(result)\n      token.drop()',
    '    if (!token.open) {\n      token.drop()',
  ),
  mutant(
    'held pulls are not answered at stop',
    'broker/src/pull/pull-handler.ts',
    '      if (pull.token.open) this.readHeld(pull, false)\n      else pull.token.drop()\n    }\n  }\n\n  /** By the group',
    '      pull.token.drop()\n    }\n  }\n\n  /** By the group',
  ),
  mutant(
    'maxHeldPulls is ignored',
    'broker/src/pull/held-pulls.ts',
    'this.count >= this.limits.maxHeldPulls ||',
    'this.count < 0 ||',
  ),
  mutant(
    'maxHeldPullsPerConnection is ignored',
    'broker/src/pull/held-pulls.ts',
    '    if (account.held >= this.limits.maxHeldPullsPerConnection) return false\n',
    '',
  ),
  mutant(
    'held bytes of a connection are ignored',
    'broker/src/pull/held-pulls.ts',
    '    if (account.heldBytes + bytes > maxHeldBytesPerConnection) return false\n',
    '',
  ),
  mutant(
    'a view is held that others overwrite',
    'broker/src/pull/pull-handler.ts',
    'view: held === undefined ? view.copy() : view,',
    'view,',
  ),
  mutant(
    'a slave that is ahead goes on',
    'broker/src/ha/master-link.ts',
    'if (offset === expected || expected === 0) return true',
    'if (expected >= 0) return true',
    {
      tests: ['packages/skua/test/replication.test.ts'],
      equal:
        'the store refuses bytes that do not begin at its end (replica-append.ts); here it is said before they come',
    },
  ),
  mutant(
    'checks do not wait for a verdict that is being written',
    'broker/src/transaction/transaction-checks.ts',
    '    if (isEnding(halfOffset)) return false\n',
    '',
    { equal: 'it is asked again behind the reads; here it spares them' },
  ),
  mutant(
    'a reset goes on where its topic is gone',
    'broker/src/consumer-control/reset-offset.ts',
    '  if (gone !== undefined) return gone\n',
    '',
  ),
  mutant(
    'offsets outlive their topic',
    'broker/src/offset/feature.ts',
    "        table.deleteTopic(topic, 'the topic was deleted', deleteTopicInBroker.name)\n",
    '',
    { tests: ['packages/broker/test/consumer-control', 'packages/broker/test/offset-history'] },
  ),
  mutant('resets outlive their topic', 'broker/src/offset/feature.ts', '        resets.deleteTopic(topic)\n', '', {
    tests: ['packages/broker/test/consumer-control', 'packages/broker/test/topic'],
  }),
  mutant(
    'the queues of a topic outlive it',
    'broker/src/cleanup/feature.ts',
    '    topicDeleted: topic => store.deleteTopic(topic),\n',
    '',
    { tests: ['packages/broker/test/consumer-control', 'packages/broker/test/topic', 'packages/broker/test/cleanup'] },
  ),
  mutant(
    '316 deletes what was made meanwhile',
    'broker/src/cleanup/routes.ts',
    '        if (!hasTopic(topic)) store.deleteTopic(topic)',
    '        store.deleteTopic(topic)',
  ),
  mutant('316 deletes all in one turn', 'broker/src/cleanup/routes.ts', '        await delay(clock, 0)\n', ''),
  mutant(
    'tables are not loaded',
    'broker/src/house/table.ts',
    '      for (const table of tables) table.load?.()\n',
    '',
  ),
  mutant('tables are not stopped', 'broker/src/house/table.ts', '          table.stop?.()\n', '', {
    tests: [
      'packages/broker/test/persist',
      'packages/broker/test/offset',
      'packages/broker/test/stats',
      'packages/broker/test/pop',
    ],
  }),
  mutant(
    'the silent are not forgotten',
    'broker/src/broker-life.ts',
    '      for (const table of furniture.tables) table.expire?.()\n',
    '',
    {
      tests: [
        'packages/broker/test/house',
        'packages/broker/test/client-table',
        'packages/broker/test/consumer-control',
      ],
    },
  ),
  mutant('a table is written after its stop', 'broker/src/topic/topic-table.ts', '    this.soon.stop()\n', ''),
  mutant(
    'nobody hears of a deletion',
    'broker/src/house/house.ts',
    '    this.tellAll(ear => ear.topicDeleted?.(topic))\n',
    '',
    { tests: ['packages/broker/test/consumer-control', 'packages/broker/test/topic', 'packages/broker/test/cleanup'] },
  ),
  mutant(
    'changes are not announced',
    'broker/src/house/house.ts',
    '    for (const announce of this.announcers) await announce()\n',
    '',
  ),
  // Faults of disks and of what comes at the same time.
  mutant('a file that somebody removed stops all that reads', 'runtime/src/error.ts', ", 'ENOENT'])", '])', {
    tests: ['packages/broker/test/bad-places.test.ts'],
  }),
  mutant(
    'a refused deletion takes a later change back',
    'broker/src/persist/open-changes.ts',
    '|| !isLast) return now',
    ') return now',
    {
      tests: ['packages/broker/test/persist'],
    },
  ),
  mutant(
    'a group that came by itself stays when its deletion is refused',
    'broker/src/persist/open-changes.ts',
    ' || change.value === undefined',
    '',
    {
      tests: ['packages/broker/test/persist'],
    },
  ),
  mutant(
    'a small registration overtakes a large one',
    'nameserver/src/registration-intake.ts',
    'if (isSmall && isFirst)',
    'if (isSmall)',
  ),
  mutant(
    'a registration that was said before overtakes a large one',
    'nameserver/src/registration-intake.ts',
    'if (isFirst && this',
    'if (this',
  ),
  mutant('ports of a server have a room each', 'remoting/src/server.ts', '          crowd,\n', '', {
    tests: ['packages/remoting/test/two-ports.test.ts'],
  }),
]
