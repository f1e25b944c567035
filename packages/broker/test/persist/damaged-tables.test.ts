import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  setMessageRequestMode,
  subscriptionData,
  updateAndCreateSubscriptionGroup,
  updateConsumerOffset,
} from '@skua-mq/protocol'
import { PopMachine } from '../pop/pop-machine.ts'
import { Popper } from '../pop/popper.ts'

const config = '/store/config'

/** What a start makes of a table of which nothing reads: that is said, and only what can be had otherwise is begun again. */
const tables: Record<string, 'refused' | 'begun again'> = {
  'consumerFilter.json': 'begun again',
  'consumerOffset.json': 'refused',
  'consumerOrderInfo.json': 'refused',
  'delayOffset.json': 'refused',
  'messageRequestMode.json': 'refused',
  'skua.offsetHistory.jsonl': 'begun again',
  'skuaRole.json': 'refused',
  'subscriptionGroup.json': 'refused',
  'topics.json': 'refused',
  timermetrics: 'begun again',
}

/** Another file of the timers: packages/broker/test/timer/damaged-files.test.ts. */
const others = ['timercheck']

const damages: Record<string, (bytes: Buffer) => Buffer> = {
  zeros: bytes => Buffer.alloc(bytes.length),
  'cut in the middle': bytes => bytes.subarray(0, bytes.length >> 1),
  noise: bytes => Buffer.from(bytes.map((_, n) => (n * 7919 + 13) % 251)),
  empty: () => Buffer.alloc(0),
}

type End = 'stop' | 'kill'

const ended = async (machine: PopMachine, end: End): Promise<void> => {
  if (end === 'stop') await machine.settle(machine.broker.stop())
  machine.kill()
}

/** A store with each of the tables and, of each, the generation before. */
async function filled(end: End): Promise<PopMachine> {
  const machine = new PopMachine(3, { enablePropertyFilter: true })
  await machine.boot()
  const peer = machine.client('client')
  await peer.send('T', 'first')
  const group = (groupName: string) =>
    peer.ask(
      updateAndCreateSubscriptionGroup,
      {},
      updateAndCreateSubscriptionGroup.body!.encode({ groupName, consumeEnable: true } as never),
    )
  const popper = new Popper(peer, 'T', 'ordered')
  // Each round changes every table, and lasts until all are written.
  for (const round of [1, 2]) {
    const sql = { topic: 'T', expression: `a > ${round}`, type: 'SQL92', subVersion: round }
    await peer.consume('sql', [subscriptionData(sql)!])
    for (let n = 0; n < 4; n++) await peer.send('T', `message ${n}`)
    await peer.send(`T${round}`, 'message')
    await peer.send('T', 'delayed', { properties: { DELAY: '1' } })
    const deliverMs = String(machine.clock.now() + 100_000 * round)
    await peer.send('T', 'timed', { properties: { TIMER_DELIVER_MS: deliverMs } })
    for (const name of ['g', `g${round}`]) await group(name)
    const commit = { consumerGroup: 'g', topic: 'T', queueId: 0 }
    for (const commitOffset of [3, 1]) await peer.ask(updateConsumerOffset, { ...commit, commitOffset })
    const mode = { topic: 'T', consumerGroup: `g${round}`, mode: 'POP', popShareQueueNum: 0 } as const
    await peer.ask(setMessageRequestMode, {}, mode)
    await popper.pop({ order: true, queueId: 0, maxMsgNums: 1, invisibleTime: 10_000 })
    await machine.clock.advanceAsync(20_000)
  }
  await ended(machine, end)
  return machine
}

const tellingOf = (machine: PopMachine, path: string) =>
  machine.events.filter(({ level, fields }) => level === 'warn' && fields['path'] === path).map(({ name }) => name)

for (const end of ['stop', 'kill'] as const)
  describe(`after a ${end}`, async () => {
    const machine = await filled(end)
    const { disk } = machine

    test('there is each of the tables', () => {
      const found = disk.list(config).filter(name => !name.endsWith('.bak') && !name.includes('.json.'))
      assert.deepEqual([...found].sort(), [...Object.keys(tables), ...others].sort())
    })

    for (const [name, fate] of Object.entries(tables))
      for (const [how, damage] of Object.entries(damages))
        test(`${name}: ${how}: with the generation before that is used, without it ${fate}; both are said`, async () => {
          const path = `${config}/${name}`
          const whole = disk.readFile(path)
          const bad = damage(whole)
          const start = async (): Promise<string | undefined> => {
            machine.events.length = 0
            try {
              await machine.boot()
              return undefined
            } catch (error) {
              machine.kill()
              return (error as Error).message
            }
          }
          disk.writeFile(path, bad)
          disk.writeFile(`${path}.bak`, whole)
          assert.equal(await start(), undefined)
          assert.deepEqual(tellingOf(machine, path), ['configuration file damaged'])
          await ended(machine, end)
          disk.writeFile(path, bad)
          disk.remove(`${path}.bak`)
          const why = await start()
          if (fate === 'refused') {
            assert.match(why ?? '', new RegExp(`${name} and its .bak cannot be read`))
            assert.deepEqual(disk.readFile(path), bad, 'what is there stays for whoever repairs it')
          } else {
            assert.equal(why, undefined)
            const told = ['a configuration file that is derived is damaged, and begun again']
            assert.deepEqual(tellingOf(machine, path), told)
            await machine.clock.advanceAsync(30_000)
            await ended(machine, end)
            // What did not read has not become the generation before.
            const former = disk.stat(`${path}.bak`) === undefined ? undefined : disk.readFile(`${path}.bak`)
            assert.notDeepEqual(former, bad)
          }
          disk.writeFile(path, whole)
        })
  })
