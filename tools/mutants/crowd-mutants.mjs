import { mutant } from './mutant.mjs'

const names = { tests: ['packages/nameserver/test/route-answers.test.ts'] }
const news = { tests: ['packages/broker/test/client-table'] }
const replies = { tests: ['packages/broker/test/send'] }
const spans = { tests: ['packages/protocol/test/message/span-copy.test.ts'] }

/** What is kept for many who ask the same, how often large groups are told, and bytes that are copied by hand. */
export const crowdMutants = [
  mutant('answers of older routes are told', 'nameserver/src/route-answers.ts', '      this.kept.clear()\n', '', names),
  mutant(
    'kept routes have no end',
    'nameserver/src/route-answers.ts',
    '    if (this.bytes + bytes > this.maxBytes) return answer\n',
    '',
    names,
  ),
  mutant(
    'who may be told more is told what others are',
    'nameserver/src/lookup-routes.ts',
    "tells ? '5' : '4'",
    "'4'",
    names,
  ),
  mutant(
    'a list of members is kept when one comes',
    'broker/src/client-table/consumer-groups.ts',
    '    this.lists.delete(group)\n    group.members.set(',
    '    group.members.set(',
    news,
  ),
  mutant(
    'a list of members is kept when one goes',
    'broker/src/client-table/consumer-groups.ts',
    '    this.lists.delete(group)\n    return group.members.delete(',
    '    return group.members.delete(',
    news,
  ),
  mutant(
    'a large group is told of each change at once',
    'broker/src/client-table/group-news.ts',
    'if (waitMs <= 0) this.begin(group)',
    'if (waitMs <= 1e9) this.begin(group)',
    news,
  ),
  mutant(
    'a large group is not told of what changed while it rested',
    'broker/src/client-table/group-news.ts',
    '        this.resting.delete(group)\n        this.begin(group)\n',
    '        this.resting.delete(group)\n',
    news,
  ),
  mutant(
    'lists of a very large group have no bound',
    'broker/src/client-table/group-news.ts',
    'Math.max(size / noticesPerMs, (size * size) / idsPerMs)',
    'size / noticesPerMs',
    news,
  ),
  mutant(
    'who filters by SQL is given all before its heartbeat',
    'broker/src/pull/subscription-filter.ts',
    '      isTagType(expressionType) &&\n      (sysFlag',
    '      (sysFlag',
    news,
  ),
  mutant(
    'a group pulls without a heartbeat for ever',
    'broker/src/client-table/known-before.ts',
    'if (this.names.size > 0 && this.clock.monotonic() >= this.untilMs) this.names = new Set()',
    '',
    news,
  ),
  mutant(
    'an id with a quote breaks its answer',
    'broker/src/send/reply-id.ts',
    '      if (!isPlain(byte)) return false\n',
    '',
    replies,
  ),
  mutant(
    'a send is told the id of the one before',
    'broker/src/send/reply-id.ts',
    '    this.clear()\n    if (length',
    '    if (length',
    replies,
  ),
  mutant(
    'a span is copied over what follows the array',
    'protocol/src/message/span-copy.ts',
    ' || at + length > into.length',
    '',
    spans,
  ),
  mutant(
    'the last bytes of a span are left out',
    'protocol/src/message/span-copy.ts',
    '    for (; i < last; i++, o++) out.setUint8(o, source.getUint8(i))\n',
    '',
    spans,
  ),
]
