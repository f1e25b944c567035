import type { BrokerConfig } from '@skua-mq/broker'
import {
  type Command,
  consumerSendMsgBack,
  type Dialect,
  deleteTopicInBroker,
  encodeBatch,
  endTransaction,
  type forks,
  getAllConsumerOffset,
  getAllDelayOffset,
  getAllSubscriptionGroupConfig,
  getAllTopicConfig,
  getBrokerClusterInfo,
  getBrokerConfig,
  getBrokerRuntimeInfo,
  getConsumerListByGroup,
  getRouteInfoByTopic,
  getSubscriptionGroupConfig,
  getTopicConfig,
  HeaderForm,
  lockBatchMq,
  pullMessage,
  queryDataVersion,
  registerBroker,
  sendMessageV2,
  TransactionState,
  updateAndCreateTopic,
  updateConsumerOffset,
} from '@skua-mq/protocol'
import type { Place } from './place.ts'

type Row = keyof typeof forks

/** How a row is tried at a broker of either dialect. */
export interface Trial<R extends Row = Row> {
  /** Of the broker. */
  readonly config?: Partial<BrokerConfig>
  /** plain_acl.yml */
  readonly accounts?: string
  /** What is seen, wherever it is: each is to be what the row says. */
  readonly see: (place: Place) => Promise<(Dialect[R] extends number ? number : Dialect[R])[]>
}

const textOf = ({ body }: Pick<Command, 'body'>): string => Buffer.from(body ?? '').toString()
const separator = ';'
const none = {}

/** True for the code of 5.3, false for success: anything else is neither. */
function isRefused(code: number, wanted: number): boolean {
  if (code !== 0 && code !== wanted) throw new Error(`${code} is neither 0 nor ${wanted}`)
  return code === wanted
}

const topic = (name: string) => ({
  ...{ topic: name, defaultTopic: 'TBW102', readQueueNums: 1, writeQueueNums: 1, perm: 6 },
  ...{ topicFilterType: 'SINGLE_TAG', topicSysFlag: 0, order: false },
})
const pull = {
  ...{ consumerGroup: 'g', topic: 'Stored', queueId: 0, queueOffset: 0, maxMsgNums: 32, sysFlag: 4, commitOffset: 0 },
  ...{ suspendTimeoutMillis: 0, subVersion: 1, subscription: '*', expressionType: 'TAG' },
}
const send = {
  ...{ producerGroup: 'p', topic: 'Stored', defaultTopic: 'TBW102', defaultTopicQueueNums: 1, queueId: 0, sysFlag: 0 },
  ...{ bornTimestamp: 1, flag: 0, reconsumeTimes: 0, unitMode: false, batch: false, properties: '' },
}

const half = { TRAN_MSG: 'true', PGROUP: 'p', UNIQ_KEY: 'K' }

async function verdict(place: Place, further: { fromTransactionCheck: boolean }): Promise<number> {
  const properties = { ...half, CHECK_IMMUNITY_TIME_IN_SECONDS: '1' }
  const sent = await place.send('Stored', { sysFlag: 4, properties })
  await place.pass(2000)
  const { code } = await place.ask(endTransaction, {
    ...{
      producerGroup: 'p',
      tranStateTableOffset: sent.header!.queueOffset,
      commitOrRollback: TransactionState.commit,
    },
    ...{ commitLogOffset: Number.parseInt(sent.header!.msgId.slice(16), 16), msgId: 'K', ...further },
  })
  return code
}

/** Sends what has been tried as often as it may, or less, to the retry topic; whether it became a dead letter. */
async function isDead(place: Place, reconsumeTimes: number): Promise<boolean> {
  await place.beat('g')
  const before = (await place.texts('%DLQ%g')).length
  await place.send('%RETRY%g', { reconsumeTimes })
  return (await place.texts('%DLQ%g')).length > before
}

const registration = (brokerName: string, heartbeatTimeoutMillis?: number) => ({
  ...{ brokerName, brokerAddr: `${brokerName}:1`, clusterName: 'C', haServerAddr: `${brokerName}:2`, brokerId: 0 },
  ...{ compressed: false, bodyCrc32: 0, heartbeatTimeoutMillis },
})
const registered = (...names: string[]) => ({
  filterServerList: [],
  topicConfigSerializeWrapper: {
    dataVersion: { timestamp: 1, counter: 1 },
    topicConfigTable: new Map(names.map(topicName => [topicName, { ...topic(topicName), topicName } as never])),
  },
})

/** When the name server has forgotten a broker that is silent at once. */
async function forgottenAt(place: Place, name: string): Promise<number> {
  await place.ask(registerBroker, registration(name, 1), registered('A', 'B'), 'names')
  for (;;) {
    const { body } = await place.ask(getBrokerClusterInfo, none, undefined, 'names')
    if (!textOf({ body: body ?? new Uint8Array(0) }).includes(name)) return place.clock.now()
    await place.pass(100)
  }
}

/** One for each row of the table: the compiler and `dialect.test.ts` miss those that have none. */
export const trials: { readonly [R in Row]: Trial<R> } = {
  version: {
    see: async place => {
      await place.stored()
      const info = await place.raw(getBrokerRuntimeInfo, none)
      const table = getBrokerRuntimeInfo.replyBody!.decode(info.body!).table
      const name = table.get('brokerVersionDesc') === 'V5_3_3' ? 479 : 409
      const ofNames = await place.raw(getBrokerClusterInfo, none, { of: 'names' })
      const hot = await place.raw(pullMessage, pull)
      return [info.version, hot.version, ofNames.version, Number(table.get('brokerVersion')), name]
    },
  },
  replyTakesFormOfRequest: {
    see: async place => {
      await place.stored()
      const form = HeaderForm.binary
      const replies = [
        await place.raw(getBrokerRuntimeInfo, none, { form }),
        await place.raw(pullMessage, pull, { form }),
        await place.raw(getBrokerClusterInfo, none, { of: 'names', form }),
      ]
      return replies.map(reply => reply.form === HeaderForm.binary)
    },
  },

  illegalTopicOnSend: {
    see: async place => [(await place.send('not legal')).code, (await place.send('x'.repeat(128))).code],
  },
  queueIdOutOfRangeOnSend: { see: async place => [(await place.send('Stored', { queueId: 99 })).code] },
  queueIdOutOfRangeOnPull: {
    see: async place => {
      await place.stored()
      return [(await place.pull('Stored', 99)).code]
    },
  },
  illegalTopicOnTopicRequest: {
    see: async place => [
      (await place.ask(updateAndCreateTopic, topic('not legal'))).code,
      (await place.ask(updateAndCreateTopic, topic('TBW102'))).code,
      (await place.ask(deleteTopicInBroker, { topic: 'TBW102' })).code,
    ],
  },
  illegalTopicOnDelete: { see: async place => [(await place.ask(deleteTopicInBroker, { topic: 'not legal' })).code] },
  aclRefusal: {
    accounts: 'accounts:\n- accessKey: somebody\n  secretKey: somethingLong\n',
    see: async place => [(await place.send('Stored')).code, (await place.ask(getBrokerRuntimeInfo, none)).code],
  },

  propertiesEndWithSeparator: {
    see: async place => {
      const plain = await place.stored({ KEYS: 'k' })
      await place.send('Late', { properties: { DELAY: '1' } })
      await place.beat('g')
      await place.ask(consumerSendMsgBack, {
        ...{ offset: 0, group: 'g', delayLevel: 1, originMsgId: 'x', originTopic: 'Stored', unitMode: false },
      })
      await place.pass(5000)
      const [late = ''] = await place.texts('Late')
      const [again = ''] = await place.texts('%RETRY%g')
      return [plain, late, again].map(text => {
        if (text === '') throw new Error('a message is missing')
        return text.endsWith(separator)
      })
    },
  },
  storesRegion: {
    config: { regionId: 'north', traceOn: false },
    see: async place => {
      // What a consumer sends again has them of its first broker.
      const texts = [await place.stored(), await place.stored({ MSG_REGION: 'south', TRACE_ON: 'true' })]
      if (place.dialect === '5.3')
        for (const text of texts) if (/south|TRACE_ON=true/.test(text)) throw new Error(`of another region: ${text}`)
      return [
        /MSG_REGION=north/.test(texts[0]!) && /TRACE_ON=false/.test(texts[0]!),
        /MSG_REGION=north/.test(texts[1]!) && /TRACE_ON=false/.test(texts[1]!),
      ]
    },
  },
  storesWait: { see: async place => [(await place.stored({ WAIT: 'true' })).includes('WAIT')] },
  brokerAddsUniqueKey: { see: async place => [/UNIQ_KEY=[0-9A-F]{32}/.test(await place.stored())] },
  sendReplyHasTransactionId: {
    see: async place => {
      const plain = await place.send('Stored', { properties: { UNIQ_KEY: 'K"1' } })
      const batch = encodeBatch([{ flag: 0, body: Buffer.from('1'), properties: Buffer.alloc(0) }])
      const of = await place.sendBatch('Stored', batch, { UNIQ_KEY: 'B' })
      const asked = { ...send, properties: 'UNIQ_KEY\u0001K' }
      const raw = await place.raw(sendMessageV2, asked, { form: HeaderForm.binary })
      return [
        plain.header?.transactionId === 'K"1',
        of.header?.transactionId === 'B',
        raw.extFields['transactionId'] === 'K',
      ]
    },
  },
  halfHasTransactionId: {
    see: async place => {
      await place.send('Stored', { sysFlag: 4, properties: half })
      const [text = ''] = await place.texts('RMQ_SYS_TRANS_HALF_TOPIC')
      if (!text.includes('PGROUP')) throw new Error('there is no half message')
      return [text.includes('__transactionId__=K')]
    },
  },
  endTransactionAfterImmunityIsRefused: {
    see: async place => {
      if ((await verdict(place, { fromTransactionCheck: true })) !== 0) throw new Error('an answer is refused')
      return [isRefused(await verdict(place, { fromTransactionCheck: false }), 604)]
    },
  },
  checkNamesTopic: {
    see: async place => {
      await place.beat('g')
      await place.send('Stored', { sysFlag: 4, properties: half })
      await place.pass(130_000)
      if (place.checks.length === 0) throw new Error('nobody asks')
      return place.checks.map(check => check.topic === 'Stored')
    },
  },
  transactionCheckIntervalMs: {
    see: async place => {
      await place.beat('g')
      await place.send('Stored', { sysFlag: 4, properties: half })
      for (let i = 0; i < 5; i++) {
        await place.pass(60_000)
        await place.beat('g')
      }
      const [first, second, third] = place.checks.map(check => check.atMs)
      // A round begins when the one before is over.
      return [second! - first!, third! - second!].map(ms => Math.round(ms / 100) * 100)
    },
  },

  retrySendAtLimitIsDead: {
    see: async place => {
      if (!(await isDead(place, 4)) || (await isDead(place, 2))) throw new Error('the limit is another one')
      return [await isDead(place, 3)]
    },
  },
  retrySendOfLockedGroupIsDead: {
    see: async place => {
      const mqSet = [{ topic: 'Stored', brokerName: 'broker-a', queueId: 0 }]
      await place.ask(lockBatchMq, none, { clientId: 'c', consumerGroup: 'g', mqSet })
      const locked = await isDead(place, 1)
      await place.pass(70_000)
      if (await isDead(place, 1)) throw new Error('the lock has expired')
      return [locked]
    },
  },
  offsetCommitIsChecked: {
    see: async place => {
      await place.stored()
      await place.beat('g')
      const commit = (consumerGroup: string, topic: string) =>
        place.ask(updateConsumerOffset, { consumerGroup, topic, queueId: 0, commitOffset: 1 })
      if ((await commit('g', 'Stored')).code !== 0) throw new Error('what is right is refused')
      return [
        isRefused((await commit('nobody', 'Stored')).code, 26),
        isRefused((await commit('g', 'Nothing')).code, 17),
      ]
    },
  },
  heartbeatSkipsUnknownGroups: {
    config: { autoCreateSubscriptionGroup: false },
    see: async place => {
      await place.beat('nobody')
      return [(await place.ask(getConsumerListByGroup, { consumerGroup: 'nobody' })).code !== 0]
    },
  },
  heartbeatV2: {
    see: async place => [
      (await place.beat('g')).header?.isSupportHeartBeatV2 === true,
      (await place.beat('g', { heartbeatFingerprint: 7 })).header?.isSubChange === false,
    ],
  },
  pullReplyHasSysFlags: {
    see: async place => {
      await place.stored()
      const replies = [
        await place.raw(pullMessage, pull),
        await place.raw(pullMessage, pull, { form: HeaderForm.binary }),
        await place.raw(pullMessage, { ...pull, queueOffset: 77 }),
      ]
      return replies.map(({ extFields }) => extFields['topicSysFlag'] === '0' && extFields['groupSysFlag'] === '0')
    },
  },

  dataVersionHasStateVersion: {
    see: async place => {
      const broker = {
        brokerName: 'broker-a',
        brokerAddr: place.brokerAddr,
        clusterName: 'DefaultCluster',
        brokerId: 0,
      }
      const other = { timestamp: 7, counter: 7 }
      const ofNames = await place.ask(queryDataVersion, broker, other, 'names')
      const texts = [
        textOf(await place.raw(getAllTopicConfig, none)),
        textOf(await place.raw(getAllSubscriptionGroupConfig, none)),
        (await place.raw(getBrokerConfig, none)).extFields['version'] ?? '',
        textOf({ body: ofNames.body! }),
      ]
      return texts.map(text => text.includes('"stateVersion":0'))
    },
  },
  configHasAttributes: {
    see: async place => {
      await place.stored()
      await place.beat('g')
      const texts = [
        textOf(await place.raw(getTopicConfig, { topic: 'Stored' })),
        textOf(await place.raw(getTopicConfig, { topic: 'TBW102' })),
        textOf(await place.raw(getAllTopicConfig, none)),
        textOf(await place.raw(getSubscriptionGroupConfig, { group: 'g' })),
        textOf(await place.raw(getAllSubscriptionGroupConfig, none)),
      ]
      return texts.map(text => text.includes('"attributes":{}'))
    },
  },
  offsetsHaveVersion: {
    see: async place => {
      const texts = [
        textOf(await place.raw(getAllConsumerOffset, none)),
        textOf(await place.raw(getAllDelayOffset, none)),
      ]
      return texts.map(text => text.includes('"dataVersion":{"counter":0,"stateVersion":0,"timestamp":'))
    },
  },

  nameServerScanMs: {
    see: async place => {
      const first = await forgottenAt(place, 'one')
      const second = await forgottenAt(place, 'two')
      return [Math.round((second - first) / 1000) * 1000]
    },
  },
  loneTopicRegistrationNeedsFullOne: {
    see: async place => {
      const register = async (...names: string[]) =>
        (await place.ask(registerBroker, registration('lone'), registered(...names), 'names')).code
      const lone = await register('A')
      if ((await register('A', 'B')) !== 0 || (await register('C')) !== 0) throw new Error('a known broker is refused')
      return [isRefused(lone, 1)]
    },
  },
  routeHasActingMaster: {
    see: async place => {
      await place.stored()
      await place.pass(2000)
      const route = { topic: 'Stored' }
      const texts = [
        textOf(await place.raw(getRouteInfoByTopic, route, { of: 'names', version: 409 })),
        textOf(await place.raw(getBrokerClusterInfo, none, { of: 'names' })),
      ]
      const of5 = textOf(await place.raw(getRouteInfoByTopic, route, { of: 'names', version: 479 }))
      if (!of5.includes('enableActingMaster')) throw new Error('clients of 5.x do not find it')
      return texts.map(text => text.includes('"enableActingMaster":false'))
    },
  },
}
