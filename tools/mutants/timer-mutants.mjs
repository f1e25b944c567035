import { mutant } from './mutant.mjs'

const inBroker = (...names) => names.map(name => `packages/broker/test/timer/${name}.test.ts`)
const inStore = ['packages/store/test/timer']
const timer = (name, file, from, to, tests) =>
  mutant(name, `broker/src/timer/${file}`, from, to, { tests: inBroker(...tests) })
const file = (name, path, from, to, more = {}) =>
  mutant(name, `store/src/timer/${path}`, from, to, { tests: inStore, ...more })

/** Messages with a time of delivery: what the files may say, and when; what is in flight; what is not delivered yet. */
export const timerMutants = [
  timer(
    'the check point of timers does not wait for the commit log',
    'timer-book.ts',
    "      if (!(await store.sync())) throw new Error('the commit log could not be synced')\n",
    '',
    ['timer-book'],
  ),
  timer('the check point of timers does not wait for the timer log', 'timer-book.ts', '      await log.sync()\n', '', [
    'timer-book',
    'crash',
  ]),
  timer(
    'the check point of timers is written before the wheel',
    'timer-book.ts',
    '      await wheel.write(snapshot)\n      snapshot = undefined\n      await this.file.save(check)\n',
    '      await this.file.save(check)\n      await wheel.write(snapshot)\n      snapshot = undefined\n',
    ['timer-book'],
  ),
  timer(
    'a wheel that could not be written counts as written',
    'timer-book.ts',
    '      if (snapshot !== undefined) wheel.giveBack(snapshot)\n',
    '',
    ['timer-book'],
  ),
  timer(
    'what could not be saved counts as saved',
    'timer-book.ts',
    '      this.isChanged = true\n      events.emit(timersNotSaved({ error }))\n      return false',
    '      events.emit(timersNotSaved({ error }))\n      return false',
    ['timer-book'],
  ),
  timer(
    'timers come while the changed pages of the wheel have no room',
    'timer-book.ts',
    'return this.wheel.changedPages >= maxChangedPages',
    'return this.wheel.changedPages < 0',
    ['timer-book'],
  ),
  timer(
    'a slot that could not be put behind is lost',
    'timer-book.ts',
    '      this.wheel.put(slot)\n      this.count = count\n',
    '',
    ['faults'],
  ),
  timer(
    'a slot that a stop has emptied is not written',
    'timer-book.ts',
    '    this.isChanged = true\n    try {',
    '    try {',
    ['in-flight'],
  ),
  timer(
    'what a slot is left with is taken for all of it where a stop was torn',
    'timer-book.ts',
    '      end = again.position\n      next = again.next\n',
    '',
    ['faults'],
  ),
  timer(
    'maxTimerBytesInFlight is ignored',
    'timer-delivery.ts',
    'return count < maxTimersInFlight && this.bytes < maxTimerBytesInFlight',
    'return count < maxTimersInFlight',
    ['faults'],
  ),
  timer(
    'maxTimersInFlight is ignored',
    'timer-delivery.ts',
    'return count < maxTimersInFlight && this.bytes',
    'return count >= 0 && this.bytes',
    ['in-flight'],
  ),
  timer(
    'a timer that the store refuses is over',
    'timer-delivery.ts',
    '      this.again.push(flight)\n',
    '      flight.done()\n',
    ['in-flight'],
  ),
  timer(
    'a stop does not wait for what the store was given',
    'timer-delivery.ts',
    '    if (this.inStore === 0 && !this.working) return\n',
    '    if (this.inStore >= 0) return\n',
    ['in-flight'],
  ),
  timer(
    'what the store refuses is handed over out of its order',
    'timer-delivery.ts',
    'this.queue = [...this.again, ...this.queue]',
    'this.queue = [...this.queue, ...this.again]',
    ['in-flight'],
  ),
  timer(
    'a record that is another one is delivered',
    'timer-delivery.ts',
    '|| copy.size !== unit.size || !properties.read(',
    '|| !properties.read(',
    ['in-flight'],
  ),
  timer(
    'a recall takes back messages of other topics',
    'timer-delivery.ts',
    'if (!recalls.has(key)) return false',
    "if (![...recalls.keys()].some(each => each.endsWith(key.slice(key.indexOf('+'))))) return false",
    ['in-flight'],
  ),
  timer(
    'a slot is delivered before its recalls are taken up',
    'due-slots.ts',
    '    if (!schedule.isBegun && !isCaughtUp() && this.nowFor(schedule) < endMs) return intakeMs\n',
    '',
    ['in-flight'],
  ),
  timer('timerStopDequeue is ignored', 'due-slots.ts', '    if (isStopped()) return lookAgainMs\n', '', [
    'timers',
    'limits',
  ]),
  timer(
    'timerStopEnqueue is ignored',
    'timer-intake.ts',
    'if (this.parts.isStopped() || this.parts.mustWait() || (book.isFull',
    'if (this.parts.mustWait() || (book.isFull',
    ['limits'],
  ),
  timer(
    'the wheel has room for all times',
    'timer-intake.ts',
    'this.lacksRoom = !book.hasRoomFor(unit.slotMs)',
    'this.lacksRoom = false',
    ['limits'],
  ),
  timer(
    'what was delivered is delivered again where the files are made anew',
    'timer-intake.ts',
    'if (queueOffset < book.rebuildBelow && doubtUntilMs < book.doneBeforeMs) return true',
    'if (queueOffset < book.rebuildBelow && doubtUntilMs < 0) return true',
    ['faults', 'timers'],
  ),
  timer(
    'timerMaxDelaySec is ignored',
    'timer-wish.ts',
    'if (deliverMs - nowMs > maxMs)',
    'if (deliverMs - nowMs < 0)',
    ['timed-sends'],
  ),
  timer('a slave keeps the wheel of when it was master', 'timer-follower.ts', '/timerwheel`)', '/timerwheel.old`)', [
    'timer-follower',
  ]),
  timer(
    'the check point of a master that has none is taken over',
    'timer-follower.ts',
    '    if (master.readMs <= 0 || master.masterQueueOffset < 0) return\n',
    '',
    ['timer-follower'],
  ),
  timer('a slave does not wait for its check point at a stop', 'timer-follower.ts', '    await this.saving\n', '', [
    'timer-follower',
  ]),
  timer(
    'a check point that could not be written counts as known',
    'timer-follower.ts',
    '        this.saved = undefined\n',
    '',
    ['timer-follower'],
  ),
  timer(
    'memory for records that are read ahead has no end',
    'record-fetch.ts',
    'if (record !== undefined || size > left) return false',
    'if (record !== undefined) return false',
    ['record-fetch'],
  ),
  file('a timer log is not synced', 'timer-log.ts', '          await file.syncData()\n', ''),
  file(
    'a timer log is believed after a failed sync',
    'timer-log.ts',
    '          if (this.isSuspect) await rewrite(file)\n',
    '',
  ),
  file(
    'files of the timer log are not synced by name',
    'timer-log.ts',
    '    if (!this.isNamed) await this.disk.syncDirectoryLater(this.directory)\n',
    '',
  ),
  file(
    'a timer log whose sync failed counts as synced',
    'timer-log.ts',
    '        for (const each of this.files) if (paths.includes(each.path)) this.unsynced.add(each.path)\n',
    '',
  ),
  file(
    'what may go of the timer log follows from its last unit alone',
    'timer-log.ts',
    '      if (file.reach.slotMs >= readMs && file.reach.physicalOffset >= minOffset) return\n',
    '',
  ),
  file('the timerwheel is not synced', 'timer-wheel.ts', '    await file.syncData()\n', ''),
  file(
    'the timerwheel is not synced by name',
    'timer-wheel.ts',
    '    if (!this.isNamed) await this.disk.syncDirectoryLater(parentOf(this.path))\n',
    '',
  ),
  file(
    'pages of the wheel are not copied to be written',
    'timer-wheel.ts',
    'runs.push({ index, bytes: Buffer.concat(pages.slice(first, next).map(({ bytes }) => bytes)) })',
    'runs.push({ index, bytes: next - first > 1 ? Buffer.concat(pages.slice(first, next).map(({ bytes }) => bytes)) : pages[first]!.bytes })',
  ),
  file(
    'pages that are being written are forgotten',
    'timer-wheel.ts',
    'if (!isChanged && pins === 0) {',
    'if (!isChanged) {',
  ),
  file('changed pages are forgotten', 'timer-wheel.ts', 'if (!isChanged && pins === 0) {', 'if (pins === 0) {'),
  file('timercheck is not synced', 'timer-checkpoint.ts', '      await file.syncData()\n', ''),
  file(
    'timercheck is not synced by name',
    'timer-checkpoint.ts',
    '    if (isNew) await disk.syncDirectoryLater(parentOf(path))\n',
    '',
  ),
]
