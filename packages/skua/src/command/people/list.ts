import type { QueueOffset } from '@skua-mq/admin'
import { InvalidArgumentError } from 'commander'
import { everyOne } from '../every-one.ts'
import { pair } from '../pair.ts'
import { positive } from '../positive.ts'
import type { Entry } from './frame.ts'

/** Names that have commands below them. */
export const groups: readonly { readonly name: string; readonly help: string }[] = [
  { name: 'offsets', help: 'where a group goes on, and who moved it: show, reset, history, undo' },
  { name: 'dlq', help: 'dead letters of a group: list, show, resend, edit' },
  { name: 'broker', help: 'a broker alone; who is the master, who leaves, who joins: promote, demote, drain, join' },
  { name: 'tx', help: 'transactions that nobody has decided yet: list, commit, rollback' },
  { name: 'timers', help: 'messages whose time of delivery has not come: list, show, cancel, move' },
]

const dryRun = { flag: '--dry-run', help: 'change nothing; show what would be done' }
const yes = { flag: '--yes', help: 'do not ask' }
const ofTopic = { flag: '--topic <topic>', help: 'of this topic, where several wait under the id' }

/** A place in a commit log. */
function place(text: string): number {
  const offset = Number(text)
  if (text.trim() === '' || !Number.isSafeInteger(offset) || offset < 0)
    throw new InvalidArgumentError('a number of bytes is wanted, as tx list --json tells it')
  return offset
}

const ofTransaction = [
  { flag: '--broker <name>', help: 'at this broker, where several have the id' },
  { flag: '--physical-offset <n>', help: 'at this place of its commit log, where several have the id', parse: place },
]

/** `10/s`, or `10`. */
const rate = (text: string): number => {
  const count = Number(text.trim().replace(/\/s$/, ''))
  if (!(count > 0 && Number.isFinite(count))) throw new InvalidArgumentError('messages a second are wanted, e.g. 10/s')
  return count
}

/** `broker-a/0=120`, several times. */
function queueOffset(text: string, before: readonly QueueOffset[] = []): QueueOffset[] {
  const [, brokerName, id, offset] = /^(.+)\/(\d+)=(\d+)$/.exec(text.trim()) ?? []
  const one = { brokerName: brokerName ?? '', queueId: Number(id), offset: Number(offset) }
  if (brokerName === undefined || !Number.isSafeInteger(one.queueId) || !Number.isSafeInteger(one.offset))
    throw new InvalidArgumentError('a queue and its offset are wanted: broker-a/0=120')
  return [...before, one]
}

/** Every command for people. */
export const entries: readonly Entry[] = [
  {
    name: 'ping',
    help: 'whether each name server, and each broker that they know, answers; exit code 1 when one does not',
    flags: [],
    timeoutMs: 3000,
    load: async () => (await import('./ping.ts')).ping,
  },
  {
    name: 'status',
    help: 'the cluster at a glance: name servers, brokers with their load and disk, topics, groups, what waits',
    flags: [],
    load: async () => (await import('./status.ts')).status,
  },
  {
    name: 'broker promote',
    words: '<broker>',
    help: 'make a slave the master: host:port, or a name that has one slave; a master that lives becomes a slave before',
    flags: [{ flag: '--force', help: 'also where messages that were acknowledged may be lost' }],
    load: async () => (await import('./broker-roles.ts')).brokerPromote,
  },
  {
    name: 'broker demote',
    words: '<broker>',
    help: 'make a master a slave, once a slave has all of its messages: host:port, or its name',
    flags: [{ flag: '--force', help: 'also where messages that were acknowledged may be lost' }],
    load: async () => (await import('./broker-roles.ts')).brokerDemote,
  },
  {
    name: 'broker drain',
    words: '<name>',
    help: 'no more messages for a broker, wait until what it has is consumed, then take it out of the cluster',
    flags: [
      { flag: '--wait <s>', help: 'for that, at most', parse: positive, standard: 3600 },
      { flag: '--quiet <s>', help: 'nothing was sent to it for so long', parse: positive, standard: 40 },
      { flag: '--ignore <group>', help: 'do not wait for this group; may be given several times', parse: everyOne },
      { flag: '--undo', help: 'messages again, for one that has not left' },
    ],
    load: async () => (await import('./broker-members.ts')).brokerDrain,
  },
  {
    name: 'broker join',
    words: '<name>',
    help: 'give a new broker the groups, settings and topics of another one, and with them messages',
    flags: [{ flag: '--like <name>', help: 'of this broker', needed: true }, dryRun],
    load: async () => (await import('./broker-members.ts')).brokerJoin,
  },
  {
    name: 'doctor',
    help: 'what is wrong with the cluster, each with its remedy; exit code 1 where it is an error',
    flags: [
      { flag: '--net', help: 'also measure the network: round trips, throughput, interfaces, connections' },
      { flag: '--watch <s>', help: 'how long queues are watched for progress', parse: positive, standard: 10 },
    ],
    load: async () => (await import('./doctor/doctor.ts')).doctor,
  },
  {
    name: 'top',
    help: 'topics and groups with their rates, live in a terminal; elsewhere one table; --json prints a line a tick',
    flags: [
      { flag: '--interval <s>', help: 'between two readings', parse: positive, standard: 2 },
      { flag: '--count <n>', help: 'end after so many ticks', parse: positive },
    ],
    load: async () => (await import('./top/top.ts')).top,
  },
  {
    name: 'topics',
    help: 'topics with their queues, permission, messages stored, and when one was last written',
    flags: [{ flag: '--all', help: 'also those of the system, of retries and of dead letters' }],
    load: async () => (await import('./topics.ts')).topics,
  },
  {
    name: 'groups',
    help: 'consumer groups: online or not, members, messages that wait',
    flags: [{ flag: '--all', help: 'also those of brokers and tools' }],
    load: async () => (await import('./groups.ts')).groups,
  },
  {
    name: 'lag',
    words: '[group]',
    help: 'how far a group is behind, queue by queue with its owner; without a name, groups by what waits',
    flags: [],
    load: async () => (await import('./lag.ts')).lag,
  },
  {
    name: 'clients',
    help: 'who consumes: client, address, language, version, subscriptions',
    flags: [{ flag: '-g, --group <group>', help: 'only of this group' }],
    load: async () => (await import('./clients.ts')).clients,
  },
  {
    name: 'message',
    words: '<id>',
    help: 'a message by its unique id or offset id: body, properties, and which groups consumed it',
    flags: [{ flag: '--topic <topic>', help: 'look for a unique id only there (default: all topics)' }],
    load: async () => (await import('./message.ts')).message,
  },
  {
    name: 'explain',
    words: '<id>',
    help: 'why a group has consumed a message, or has not: one sentence',
    flags: [
      { flag: '-g, --group <group>', help: 'the group', needed: true },
      { flag: '--topic <topic>', help: 'look for a unique id only there (default: all topics)' },
    ],
    load: async () => (await import('./explain.ts')).explain,
  },
  {
    name: 'find',
    words: '<topic>',
    help: 'messages of a topic by their key',
    flags: [
      { flag: '--key <key>', help: 'one of the keys of the message', needed: true },
      { flag: '--limit <n>', help: 'at most so many of each broker', parse: positive, standard: 64 },
    ],
    load: async () => (await import('./find.ts')).find,
  },
  {
    name: 'offsets show',
    words: '<group>',
    help: 'where a group goes on in each queue',
    flags: [],
    load: async () => (await import('./offsets-show.ts')).offsetsShow,
  },
  {
    name: 'offsets reset',
    words: '<group>',
    help: 'have a group go on elsewhere; shows each queue and asks first',
    flags: [
      { flag: '--topic <topic>', help: 'in this topic', needed: true },
      {
        flag: '--to <place>',
        help: 'earliest, latest, a time (2026-01-31T12:00, local; or ms since 1970), or an offset below 10^12',
      },
      {
        flag: '--queue <broker/id=offset>',
        help: 'in place of --to: this queue to this offset, the others stay; may be given several times',
        parse: queueOffset,
      },
      { flag: '--as <group>', help: 'in place of --to: each queue to where this group stands' },
      dryRun,
      yes,
    ],
    load: async () => (await import('./offsets-reset.ts')).offsetsReset,
  },
  {
    name: 'offsets history',
    words: '[group]',
    help: 'who moved offsets of a group, when, from where, by which request: resets, clones, commits backwards, deletions',
    flags: [
      { flag: '-g, --group <group>', help: 'the group' },
      { flag: '--topic <topic>', help: 'only in this topic' },
      { flag: '--limit <n>', help: 'the last so many of each broker', parse: positive, standard: 1000 },
    ],
    load: async () => (await import('./offsets-history.ts')).offsetsHistory,
  },
  {
    name: 'offsets undo',
    words: '[group]',
    help: 'have a group go on where it was before it was moved last; shows each queue and asks first',
    flags: [
      { flag: '-g, --group <group>', help: 'the group' },
      { flag: '--topic <topic>', help: 'only in this topic' },
      dryRun,
      yes,
    ],
    load: async () => (await import('./offsets-undo.ts')).offsetsUndo,
  },
  {
    name: 'dlq list',
    words: '<group>',
    help: 'messages that a group gave up, with the topic that they were sent to',
    flags: [{ flag: '--limit <n>', help: 'at most so many', parse: positive, standard: 100 }],
    load: async () => (await import('./dlq-list.ts')).dlqList,
  },
  {
    name: 'dlq show',
    words: '<group> <id>',
    help: 'all of a dead letter',
    flags: [],
    load: async () => (await import('./dlq-list.ts')).dlqShow,
  },
  {
    name: 'dlq resend',
    words: '<group> [id...]',
    help: 'send dead letters to their first topic again; they also stay where they are',
    flags: [
      { flag: '--all', help: 'all of the group' },
      { flag: '--rate <n/s>', help: 'at most so many a second', parse: rate },
      { flag: '--body <file>', help: 'with this body; for one message' },
      {
        flag: '--property <k=v>',
        help: 'with this property, TAGS and KEYS among them; k= takes it away; for one message; may be given several times',
        parse: pair,
      },
      dryRun,
      yes,
    ],
    load: async () => (await import('./dlq-resend.ts')).dlqResend,
  },
  {
    name: 'dlq edit',
    words: '<group> <id>',
    help: 'change body and properties of a dead letter in VISUAL or EDITOR, and send it to its first topic',
    flags: [dryRun, yes],
    load: async () => (await import('./dlq-edit.ts')).dlqEdit,
  },
  {
    name: 'tx list',
    help: 'transactions that nobody has decided yet, oldest first, with the next check',
    flags: [{ flag: '--limit <n>', help: 'at most so many of each broker', parse: positive, standard: 1000 }],
    load: async () => (await import('./tx-list.ts')).txList,
  },
  {
    name: 'tx commit',
    words: '<id>',
    help: 'deliver the message of an undecided transaction, in place of its producer; asks first',
    flags: [...ofTransaction, dryRun, yes],
    load: async () => (await import('./tx-decide.ts')).txCommit,
  },
  {
    name: 'tx rollback',
    words: '<id>',
    help: 'drop the message of an undecided transaction, in place of its producer; asks first',
    flags: [...ofTransaction, dryRun, yes],
    load: async () => (await import('./tx-decide.ts')).txRollback,
  },
  {
    name: 'timers list',
    help: 'messages that wait for their time of delivery, those that come next first',
    flags: [
      { flag: '--topic <topic>', help: 'only for this topic' },
      { flag: '--key <key>', help: 'with this key or unique id' },
      { flag: '--from <time>', help: 'that come at or after now, +30m, 2026-01-31T12:00, or ms since 1970' },
      { flag: '--to <time>', help: 'that come before' },
      { flag: '--limit <n>', help: 'at most so many', parse: positive, standard: 100 },
    ],
    load: async () => (await import('./timers-list.ts')).timersList,
  },
  {
    name: 'timers show',
    words: '<id>',
    help: 'all of a message that waits, by its unique id or a key',
    flags: [ofTopic],
    load: async () => (await import('./timers-list.ts')).timersShow,
  },
  {
    name: 'timers cancel',
    words: '<id>',
    help: 'take a message back whose time has not come; asks first',
    flags: [ofTopic, dryRun, yes],
    load: async () => (await import('./timers-change.ts')).timersCancel,
  },
  {
    name: 'timers move',
    words: '<id>',
    help: 'give a message that waits another time, or deliver it now; asks first',
    flags: [
      { flag: '--to <time>', help: 'now, +30m, 2026-01-31T12:00 (local), or ms since 1970', needed: true },
      ofTopic,
      dryRun,
      yes,
    ],
    load: async () => (await import('./timers-change.ts')).timersMove,
  },
]
