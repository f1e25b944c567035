import { mutant } from './mutant.mjs'

const remoting = (name, file, from, to, tests, more = {}) =>
  mutant(name, `remoting/src/${file}`, from, to, {
    tests: tests.map(each => `packages/remoting/test/${each}.test.ts`),
    ...more,
  })

/** What one connection may take of a turn, who is let in, and calls and tokens that end once. */
export const turnMutants = [
  remoting(
    'all that is left over is served in one turn',
    'later.ts',
    '      if (this.spentMs >= turnWorkMs || this.clock.monotonic() >= until) break\n',
    '',
    ['turns'],
  ),
  remoting(
    'the time of a turn is not looked at',
    'later.ts',
    'if (this.spentMs >= turnWorkMs || this.clock.monotonic() >= until) break',
    'if (this.spentMs >= turnWorkMs) break',
    ['turns'],
  ),
  remoting('bytes are no work', 'later.ts', 'const all = ms + bytes / bytesPerMs', 'const all = ms + bytes * 0', [
    'turns',
  ]),
  remoting(
    'a server that has left serves on',
    'later.ts',
    '    this.waiting = []\n    this.next = 0\n    this.slot.leave()',
    '    this.slot.leave()',
    ['turns'],
    { equal: 'a slot that has left is not run again: what waits is only let go a little earlier' },
  ),
  remoting(
    'slices of one write have no end',
    'turn-share.ts',
    'if (slices > this.mostSlices || answered',
    'if (answered',
    ['turns'],
  ),
  remoting(
    'answers of one turn have no end',
    'turn-share.ts',
    '|| answered >= this.mostAnswered) return false',
    ') return false',
    ['turns'],
  ),
  remoting(
    'what one sends in a turn has no end',
    'turn-share.ts',
    '    return this.turnBytes >= (later.isSpent',
    '    return this.turnBytes < 0 && this.turnBytes >= (later.isSpent',
    ['turns'],
  ),
  remoting('bytes of the last turn count in this one', 'turn-share.ts', '      this.turnBytes = 0\n', '', ['turns']),
  remoting(
    'behind a heavy frame nobody looks at the time',
    'turn-share.ts',
    'if (!this.heavy && this.run % framesPerLook !== 0) return true',
    'if (this.run % framesPerLook !== 0) return true',
    ['turns'],
  ),
  remoting(
    'a gate that is switched on is not asked',
    'gate.ts',
    '        this.admit = inForce()\n      })',
    '      })',
    ['gate'],
  ),
  remoting(
    'who has no more than its share is refused for the others',
    'gate.ts',
    ' || account.running * Math.max(1, connections()) < limit) return undefined',
    ') return undefined',
    ['gate'],
  ),
  remoting('a door is not asked', 'server.ts', '!doors.every(door => door.admits(socket.remote))', 'doors.length < 0', [
    'gate',
  ]),
  remoting(
    'a door does not hear who leaves',
    'server.ts',
    '    for (const door of this.parts.doors ?? []) door.left(channel)\n',
    '',
    ['gate'],
  ),
  remoting(
    'a scanned request goes past the gate that looks at all of it',
    'hot-path.ts',
    'if (gate.lets?.(scan, channel) !== true) return false',
    'if (gate.lets?.(scan, channel) === null) return false',
    ['gate'],
  ),
  remoting(
    'a call that is settled keeps its listener at the signal',
    'pending-calls.ts',
    "        stop = () => signal.removeEventListener('abort', onAbort)\n",
    '',
    ['pending-calls'],
  ),
  remoting(
    'a call waits for ever',
    'pending-calls.ts',
    '      if (call.deadline > now) continue\n',
    '      if (call.deadline > 0) continue\n',
    ['pending-calls'],
  ),
  remoting(
    'a reply settles a call twice',
    'pending-calls.ts',
    '    if (call === undefined) return undefined\n    this.waiting.delete(opaque)\n',
    '    if (call === undefined) return undefined\n',
    ['pending-calls'],
  ),
  remoting('calls of a connection that is gone stay', 'pending-calls.ts', '    this.waiting.clear()\n', '', [
    'pending-calls',
  ]),
  remoting(
    'opaques leave 31 bits',
    'pending-calls.ts',
    'this.last >= 0x7fff_fffe ? 1 : this.last + 1',
    'this.last + 1',
    ['pending-calls'],
  ),
  remoting(
    'slices of an answer that nobody gets are not let go',
    'token.ts',
    '    } else rest.release?.()\n',
    '    }\n',
    ['token'],
  ),
  remoting('a one-way request is answered', 'token.ts', 'if (channel.open && !this.oneway) {', 'if (channel.open) {', [
    'token',
  ]),
  remoting(
    'a request that is answered counts as running',
    'token.ts',
    '    if (!this.resting) connection.account.end()\n    this.channel',
    '    this.channel',
    ['token'],
  ),
  remoting(
    'a held pull that rests twice counts twice',
    'token.ts',
    '    if (this.resting) return\n    this.resting = true\n',
    '    this.resting = true\n',
    ['token'],
  ),
  remoting(
    'a token remembers the last request',
    'token.ts',
    '    this.wasHeld = false\n    const { watch }',
    '    const { watch }',
    ['token', 'watch'],
  ),
  remoting('idle tokens have no end', 'token.ts', 'if (this.free.length < maxPooledTokens) this.free', 'this.free', [
    'token',
  ]),
]
