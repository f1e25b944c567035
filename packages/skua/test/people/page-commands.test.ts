import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import {
  commitOffset,
  type FoundMessage,
  groupConfigs,
  groupOffset,
  messageCopies,
  putGroup,
  putTopic,
  sendMessage,
  topicConfigs,
  topicStats,
} from '@skua-mq/admin'
import * as shown from '../../../dashboard/page/commands.ts'
import { runSend } from '../../src/command/send.ts'
import { startStandalone } from '../../src/index.ts'
import { mqadmin } from '../mqadmin/run.ts'
import { people, until } from './run.ts'
import { openPage, run, wordsOf } from './shown-commands.ts'

/** What the page does by its API on one half, and the command that it shows on the other: both halves are the same then. */
const config = { brokerName: 'broker-a', defaultTopicQueueNums: 2, enablePropertyFilter: true }
const skua = await startStandalone({ port: 0, store: 'memory', config })
const { namesrvAddr } = skua
const { address } = skua.brokers[0]!
const { session, dashboard, act, close } = await openPage(namesrvAddr)
after(async () => {
  await close()
  await skua.stop()
})

const clusterName = 'DefaultCluster'

test('topics: made, changed, deleted', async () => {
  const settings = async (topic: string) => {
    const found = (await topicConfigs(session, address)).find(one => one.topicName === topic)
    return found === undefined ? undefined : { ...found, topicName: '' }
  }
  for (const wish of [
    { queues: 3, perm: 6, order: true, type: 'FIFO' },
    { queues: 5, perm: 4, order: false, type: 'UNSPECIFIED' },
  ]) {
    const { queues, ...more } = wish
    await act('topic/put', { topic: 'Api', clusterName, readQueueNums: queues, writeQueueNums: queues, ...more })
    await run(shown.topicCommand({ topic: 'Shown', clusterName, ...wish }))
    assert.deepEqual(await settings('Shown'), await settings('Api'))
    assert.equal((await settings('Shown'))?.readQueueNums, queues)
  }
  await act('topic/delete', { topic: 'Api', clusterName, confirm: 'Api' })
  await run(shown.topicDeleteCommand('Shown', [clusterName]))
  assert.deepEqual([await settings('Api'), await settings('Shown')], [undefined, undefined])
})

test('groups: made, changed with what the form does not have, deleted', async () => {
  const settings = async (group: string) => {
    const found = (await groupConfigs(session, address)).find(one => one.groupName === group)
    return found === undefined ? undefined : { ...found, groupName: '' }
  }
  const form = { isEnabled: true, isBroadcast: true, retries: '3', queues: '2' }
  const asParams = { consumeEnable: true, consumeBroadcastEnable: true, retryMaxTimes: 3, retryQueueNums: 2 }
  await act('group/put', { group: 'api', clusterName, ...asParams })
  await run(shown.groupCommand({ group: 'shown', clusterName, ...form, settings: {} }))
  assert.deepEqual(await settings('shown'), await settings('api'))
  const own = { consumeFromMinEnable: true, whichBrokerWhenConsumeSlowly: 2, notifyConsumerIdsChangedEnable: false }
  for (const groupName of ['api', 'shown']) await putGroup(session, { clusterName }, { groupName, ...own })
  await act('group/put', { group: 'api', clusterName, ...asParams, consumeEnable: false })
  const before = Object.fromEntries(Object.entries(own).map(([name, value]) => [name, String(value)]))
  await run(shown.groupCommand({ group: 'shown', clusterName, ...form, isEnabled: false, settings: before }))
  assert.deepEqual(await settings('shown'), await settings('api'))
  assert.equal((await settings('shown'))?.whichBrokerWhenConsumeSlowly, 2)
  await act('group/delete', { group: 'api', clusterName, confirm: 'api' })
  await run(shown.groupDeleteCommand('shown', clusterName))
  assert.deepEqual([await settings('api'), await settings('shown')], [undefined, undefined])
})

test('offsets: to an end, a time, another group’s, single queues; and back', async () => {
  const topic = 'Moved'
  await putTopic(session, { clusterName }, { topic, readQueueNums: 2, writeQueueNums: 2 })
  const send = async () => {
    for (const queueId of [0, 0, 0, 1, 1, 1])
      await sendMessage(session, { topic, body: Buffer.from('x'), brokerName: 'broker-a', queueId })
  }
  await send()
  await until('a second is over', () => Date.now() % 1000 < 100)
  const time = `${new Date(Math.floor(Date.now() / 1000) * 1000).toISOString().slice(0, 19)}+00:00`
  await send()
  const at = (queueId: number) => ({ address, topic, queueId })
  for (const group of ['api', 'shown', 'other']) {
    await putGroup(session, { clusterName }, { groupName: group })
    for (const queueId of [0, 1]) await commitOffset(session, at(queueId), { group, offset: group === 'other' ? 2 : 5 })
  }
  const stands = (group: string) => Promise.all([0, 1].map(queueId => groupOffset(session, at(queueId), group)))
  const queues = [{ brokerName: 'broker-a', queueId: 1, offset: 4 }]
  const places = [
    ['earliest', {}, [0, 0]],
    ['time', { timeMs: Date.parse(time) }, [3, 3]],
    ['latest', {}, [6, 6]],
    ['queues', { queues }, [6, 4]],
    ['group', { otherGroup: 'other' }, [2, 2]],
  ] as const
  for (const [to, more, wanted] of places) {
    await act('group/reset', { group: 'api', topic, to, ...more, confirm: 'api' })
    await run(shown.resetCommand({ group: 'shown', topic, to, time, otherGroup: 'other', queues }))
    assert.deepEqual([await stands('api'), await stands('shown')], [wanted, wanted], to)
  }
  await act('group/undo', { group: 'api' })
  await run(shown.undoCommand('shown'))
  assert.deepEqual(
    [await stands('api'), await stands('shown')],
    [
      [6, 4],
      [6, 4],
    ],
  )
  const none = await people(
    wordsOf(
      shown.resetCommand({
        group: 'shown',
        topic,
        to: 'queues',
        time,
        otherGroup: '',
        queues: [{ ...queues[0]!, queueId: 7 }],
      }),
    ).slice(1),
    namesrvAddr,
    'y',
  )
  assert.match(none.errors, /no queue broker-a\/7/)
})

test('messages: sent with all that the form has', async t => {
  const topic = 'Sent'
  await putTopic(session, { clusterName }, { topic, readQueueNums: 4, writeQueueNums: 4 })
  const given = {
    body: 'it’s "new" $HOME',
    tags: 'a',
    keys: 'k 1',
    orderKey: 'c7',
    properties: { region: 'e u', note: "it's" },
  }
  let printed = ''
  t.mock.method(process.stdout, 'write', (text: string) => {
    printed += text
    return true
  })
  const words = wordsOf(shown.sendCommand({ topic, delay: '', ...given }))
  const flag = (name: string) => words[words.indexOf(name) + 1]!
  const everyFlag = (name: string) => words.flatMap((word, i) => (word === name ? [words[i + 1]!] : []))
  const property = Object.fromEntries(
    words.flatMap((word, i) => (word === '--property' ? [words[i + 1]!.split(/=(.*)/s).slice(0, 2)] : [])),
  )
  const [, , named = '', body = ''] = words
  const more = { tag: flag('--tag'), key: everyFlag('--key'), orderKey: flag('--order-key'), property, count: 1 }
  await runSend({ topic: named, body, namesrvAddr: flag('-n'), ...more })
  t.mock.restoreAll()
  const [, shownId = ''] = /^SEND_OK (\S+)/m.exec(printed) ?? []
  await act('send', { topic, ...given })
  const stats = (await topicStats(session, topic)).filter(({ maxOffset }) => maxOffset > 0)
  assert.deepEqual(
    stats.map(({ maxOffset }) => maxOffset),
    [2],
    'both are in the queue of the key',
  )
  const found = async (id: string): Promise<FoundMessage> => {
    const [message] = await messageCopies(session, id, topic)
    assert.ok(message !== undefined)
    return message
  }
  const one = await found(shownId)
  const other = (await fetch(`${dashboard.url}api/messages?topic=${topic}&from=newest&limit=1`).then(got =>
    got.json(),
  )) as {
    rows: { offsetMsgId: string }[]
  }
  const two = await found(other.rows[0]!.offsetMsgId)
  const own = ({ properties, body: bytes, tags, keys }: FoundMessage) => {
    const { UNIQ_KEY: _u, WAIT: _w, CLUSTER: _c, INSTANCE_ID: _i, TRACE_ON: _t, MSG_REGION: _r, ...rest } = properties
    return { rest, text: bytes.toString(), tags, keys }
  }
  assert.deepEqual(own(one), own(two))
})

test('a broker: a setting, its permission to be written, its cleaning', async () => {
  const setting = async () => {
    const text = await mqadmin(['getBrokerConfig', '-b', address, '-n', namesrvAddr])
    return /fileReservedTime\s*=\s*(\d+)/.exec(text.output)?.[1]
  }
  await act('broker/set', { address, settings: { fileReservedTime: '71' } })
  assert.equal(await setting(), '71')
  await run(shown.settingCommand(address, 'fileReservedTime', '70'))
  assert.equal(await setting(), '70')
  const perm = async () =>
    (await mqadmin(['topicRoute', '-t', 'Moved', '-n', namesrvAddr])).output.match(/"perm":\s*(\d)/)?.[1]
  await act('broker/write', { broker: 'broker-a', allow: false })
  const shut = await perm()
  await act('broker/write', { broker: 'broker-a', allow: true })
  const open = await perm()
  assert.notEqual(shut, open)
  await run(shown.workCommand('wipe', { name: 'broker-a', address }))
  assert.equal(await perm(), shut)
  await run(shown.workCommand('allow', { name: 'broker-a', address }))
  assert.equal(await perm(), open)
  for (const work of ['commitLog', 'consumeQueues', 'unusedTopics'] as const)
    await run(shown.workCommand(work, { name: 'broker-a', address }))
})
