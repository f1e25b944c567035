// What a large group costs while its members come: each change is told to all of them, and each asks for the list of all.
import type { Socket } from 'node:net'
import {
  encodeFrame,
  getConsumerListByGroup,
  HeaderForm,
  heartBeat,
  notifyConsumerIdsChanged,
  writeFields,
} from '@skua-mq/protocol'
import { brokerOf, connect } from '../load.ts'
import { figuresOf } from '../process-figures.ts'
import { ReplyScan } from '../reply-scan.ts'
import { count, type Extra, load, MiB, sleep } from './extra.ts'

const consumerGroup = 'storm'
const beatOpaque = 1
const members = 1000
const perSecond = 100

interface Heard {
  notices: number
  lists: number
  bytes: number
}

const frame = (code: number, { opaque, extFields = {}, body }: Asking) =>
  encodeFrame({ code, language: 0, version: 409, opaque, flag: 0, extFields, body, form: HeaderForm.json })

interface Asking {
  readonly opaque: number
  readonly extFields?: Record<string, string>
  readonly body?: Uint8Array
}

const beat = (clientID: string) =>
  heartBeat.body!.encode({
    clientID,
    producerDataSet: [],
    consumerDataSet: [
      {
        ...{ groupName: consumerGroup, consumeType: 'CONSUME_PASSIVELY', messageModel: 'CLUSTERING', unitMode: false },
        consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
        subscriptionDataSet: [
          {
            ...{ classFilterMode: false, topic: 'More', subString: '*', tagsSet: [], codeSet: [] },
            ...{ subVersion: 1, expressionType: 'TAG' },
          },
        ],
      },
    ],
  })

/** As a client rebalances: it asks for the members when it is told, and once more when it was told meanwhile. */
function memberOn(socket: Socket, clientId: string, heard: Heard): void {
  const scan = new ReplyScan()
  const list = frame(getConsumerListByGroup.code, {
    opaque: beatOpaque + 1,
    extFields: writeFields(getConsumerListByGroup.header, { consumerGroup }),
  })
  let isAsking = false
  let isTold = false
  const ask = () => {
    isTold = isAsking
    if (isAsking) return
    isAsking = true
    socket.write(list)
  }
  socket.on('data', chunk => {
    heard.bytes += chunk.length
    scan.push(chunk as Buffer, ({ code, opaque }) => {
      if (code === notifyConsumerIdsChanged.code) {
        heard.notices++
        ask()
      } else if (opaque === beatOpaque) ask()
      else {
        heard.lists++
        isAsking = false
        if (isTold) ask()
      }
    })
  })
  socket.write(frame(heartBeat.code, { opaque: beatOpaque, body: beat(clientId) }))
}

export const largeGroups: readonly Extra[] = [
  {
    name: `${count(members)} members of a group that come in ${members / perSecond} s`,
    run: async contender => {
      await load(contender, { kind: 'send', seconds: 0.5 })
      const broker = await brokerOf(contender.namesrv, 'More')
      const heard: Heard = { notices: 0, lists: 0, bytes: 0 }
      const before = figuresOf(contender.pid!).cpuSeconds
      const sockets: Socket[] = []
      const begun = performance.now()
      while (sockets.length < members) {
        const due = Math.min(members, Math.floor(((performance.now() - begun) / 1000) * perSecond))
        while (sockets.length < due) {
          const socket = await connect(broker.host, broker.port)
          memberOn(socket, `10.0.0.1@a-member-of-the-group-${sockets.length}`, heard)
          sockets.push(socket)
        }
        await sleep(0.01)
      }
      for (let known = -1; known !== heard.lists; ) {
        known = heard.lists
        await sleep(2)
      }
      const cpu = figuresOf(contender.pid!).cpuSeconds - before
      for (const socket of sockets) socket.destroy()
      return `${cpu.toFixed(1)} s of processor, ${count(heard.notices)} notices, ${count(heard.lists)} lists, ${count(heard.bytes / MiB)} MiB`
    },
  },
]
