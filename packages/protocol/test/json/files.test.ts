import assert from 'node:assert/strict'
import { test } from 'node:test'
import { messageQueueShape } from '../../src/bodies/message-queue.ts'
import {
  type Codec,
  consumerFilterFile,
  consumerOffsetFile,
  delayOffsetFile,
  localOffsetFile,
  registerBodySlices,
  registerBroker,
  type SlicedCodec,
  shape,
  subscriptionGroupTableFile,
  topicConfigTableFile,
} from '../../src/index.ts'

/** The samples of store.md 5.3: Java's files come out byte for byte. */
const samples: Record<string, [Codec<never>, string]> = {
  'topics.json': [
    topicConfigTableFile as unknown as Codec<never>,
    `{
	"dataVersion":{
		"counter":3,
		"timestamp":1700000000000
	},
	"topicConfigTable":{
		"orders":{
			"order":false,
			"perm":6,
			"readQueueNums":4,
			"topicFilterType":"SINGLE_TAG",
			"topicName":"orders",
			"topicSysFlag":0,
			"writeQueueNums":4
		}
	}
}`,
  ],
  'topics.json of 5.x': [
    topicConfigTableFile as unknown as Codec<never>,
    `{
	"dataVersion":{
		"counter":3,
		"stateVersion":0,
		"timestamp":1700000000000
	},
	"topicConfigTable":{
		"orders":{
			"attributes":{
				"message.type":"FIFO"
			},
			"order":false,
			"perm":6,
			"readQueueNums":4,
			"topicFilterType":"SINGLE_TAG",
			"topicName":"orders",
			"topicSysFlag":0,
			"writeQueueNums":4
		}
	}
}`,
  ],
  'subscriptionGroup.json': [
    subscriptionGroupTableFile as unknown as Codec<never>,
    `{
	"dataVersion":{
		"counter":1,
		"timestamp":1700000000000
	},
	"subscriptionGroupTable":{
		"billing":{
			"brokerId":0,
			"consumeBroadcastEnable":true,
			"consumeEnable":true,
			"consumeFromMinEnable":true,
			"groupName":"billing",
			"notifyConsumerIdsChangedEnable":true,
			"retryMaxTimes":16,
			"retryQueueNums":1,
			"whichBrokerWhenConsumeSlowly":1
		}
	}
}`,
  ],
  'consumerOffset.json': [
    consumerOffsetFile as unknown as Codec<never>,
    `{
	"offsetTable":{
		"orders@billing":{0:17,1:4
		},
		"%RETRY%billing@billing":{0:2
		}
	}
}`,
  ],
  'delayOffset.json': [delayOffsetFile as unknown as Codec<never>, '{\n\t"offsetTable":{1:1,3:2\n\t}\n}'],
  'an empty delayOffset.json': [delayOffsetFile as unknown as Codec<never>, '{\n\t"offsetTable":{}\n}'],
  'consumerFilter.json': [
    consumerFilterFile as unknown as Codec<never>,
    `{
	"filterDataByTopic":{
		"orders":{
			"groupFilterData":{
				"billing":{
					"bloomFilterData":{
						"bitNum":112,
						"bitPos":[37,61,95]
					},
					"bornTime":1700000000000,
					"clientVersion":1700000000123,
					"consumerGroup":"billing",
					"dead":false,
					"deadTime":0,
					"expression":"a > 3",
					"expressionType":"SQL92",
					"topic":"orders"
				}
			},
			"topic":"orders"
		}
	}
}`,
  ],
}

for (const [name, [codec, text]] of Object.entries(samples)) {
  test(`${name} is read and written byte for byte`, () => {
    assert.equal(codec.encode(codec.decode(Buffer.from(text))).toString(), text)
  })

  test(`${name} is the same in slices`, () => {
    const sliced = codec as unknown as SlicedCodec<unknown>
    const value = sliced.decode(Buffer.from(text))
    assert.equal(Buffer.concat([...sliced.slices(value)]).toString(), text)
  })
}

test('the offsets of a broadcasting consumer read back', () => {
  const value = { offsetTable: new Map([[{ topic: 'T', brokerName: 'b1', queueId: 0 }, 7]]) }
  assert.deepEqual(localOffsetFile.decode(localOffsetFile.encode(value)), value)
})

test('quoted integer keys are read as well', () => {
  assert.deepEqual(consumerOffsetFile.decode(Buffer.from('{"offsetTable":{"a@b":{"0":17}}}')), {
    offsetTable: new Map([['a@b', new Map([[0, 17]])]]),
  })
})

test('a large table is many slices, which together are what encode makes', () => {
  const offsetTable = new Map(Array.from({ length: 20_000 }, (_, i) => [`T${i}@g`, new Map([[0, i]])]))
  const slices = [...consumerOffsetFile.slices({ offsetTable })]
  assert.ok(slices.length > 5)
  assert.ok(Buffer.concat(slices).equals(consumerOffsetFile.encode({ offsetTable })))
})

test('so are the bodies of requests, lists, and tables whose keys are objects', () => {
  const topicConfigTable = new Map(Array.from({ length: 3000 }, (_, i) => [`T-${i}"`, config(`T-${i}"`)]))
  const dataVersion = { timestamp: 1, counter: 2 }
  const body = { filterServerList: ['h:1'], topicConfigSerializeWrapper: { dataVersion, topicConfigTable } }
  const slices = [...registerBodySlices({ filterServerList: ['h:1'], dataVersion, topics: topicConfigTable.values() })]
  assert.ok(slices.length > 5)
  assert.ok(Buffer.concat(slices).equals(registerBroker.body!.encode(body)))
  const queue = (queueId: number) => ({ topic: 'T', brokerName: 'b', queueId })
  const { bean, integer, list, objectTable, slicedBody, string, table } = shape
  const parts = { topics: list(string), none: list(string), of: table(integer()) }
  for (const style of ['file', undefined] as const) {
    const codec = slicedBody(
      bean({ ...parts, queues: objectTable(messageQueueShape, bean(parts)), inner: bean({}) }),
      style && { style },
    )
    const one = { topics: ['A', 'B'], none: [], of: new Map() }
    const value = { ...one, inner: {}, queues: new Map([0, 1].map(queueId => [queue(queueId), one])) }
    assert.equal(Buffer.concat([...codec.slices(value)]).toString(), codec.encode(value).toString())
  }
})

const config = (topicName: string) => ({
  ...{ topicName, readQueueNums: 4, writeQueueNums: 4, perm: 6, topicFilterType: 'SINGLE_TAG' as const },
  ...{ topicSysFlag: 0, order: false },
})
