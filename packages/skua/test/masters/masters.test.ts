import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect, leave, putTopic, stopWrites, topicRoute } from '@skua-mq/admin'
import { portStride } from '../../src/masters/family.ts'
import { people } from '../people/run.ts'
import { FamilyPlace, until } from './family-processes.ts'
import { Sending } from './sending.ts'

const linux = existsSync('/proc/self/status')
const skip = linux ? false : 'processes are looked at in /proc'

/** Stores that were closed: a start finds `abort` in those that were not. */
const areClosed = ({ store }: FamilyPlace) =>
  [store, join(store, 'masters', '1')].map(root => !existsSync(join(root, 'abort')) && existsSync(join(root, 'config')))

test('a store grows to two masters: topics at both, one killed leaves the other and comes back, nothing is lost', {
  skip,
}, async () => {
  const place = await FamilyPlace.open(2)
  const { namesrvAddr } = place
  const session = connect({ namesrvAddr })
  const sending = new Sending(namesrvAddr, 'Orders')
  try {
    const alone = place.start()
    await alone.says(/boot success/)
    await putTopic(session, { clusterName: 'DefaultCluster' }, { topic: 'Orders', writeQueueNums: 2, readQueueNums: 2 })
    assert.equal((await alone.signal('SIGTERM')).code, 0)

    const family = await place.started(2)
    const { brokers, queues } = await topicRoute(session, 'Orders')
    assert.deepEqual(brokers.map(({ brokerName }) => brokerName).sort(), ['broker-a', 'broker-a-1'])
    assert.deepEqual(
      queues.map(({ writeQueueNums }) => writeQueueNums),
      [2, 2],
    )
    assert.equal(family.output.match(/boot success/g)?.length, 2)
    await sending.start()
    await until('both have messages', () => sending.countAt('broker-a') > 20 && sending.countAt('broker-a-1') > 20)

    const before = place.children(family)
    process.kill(before[1]!, 'SIGKILL')
    await until('said', () => /broker=broker-a-1 .*why=ended by SIGKILL/.test(family.errors))
    const [atFirst, atSecond] = [sending.countAt('broker-a'), sending.countAt('broker-a-1')]
    await until('the first goes on', () => sending.countAt('broker-a') > atFirst + 20)
    await until('it is back', () => /is back: broker=broker-a-1/.test(family.errors))
    await until('it takes messages again', () => sending.countAt('broker-a-1') > atSecond)
    assert.equal((await people('ping', namesrvAddr)).exitCode, 0)
    const now = place.children(family)
    assert.equal(now[0], before[0])
    assert.notEqual(now[1], before[1])
    await sending.end()
    await until('all has come', () => sending.missing.length === 0)
    await sending.close()
    assert.match(family.errors, /INFO \[broker-a-1\] recovery began: reason=/)

    // What is changed at one is of that one alone.
    await stopWrites(session, 'broker-a-1')
    assert.doesNotMatch(readFileSync(place.conf, 'latin1'), /brokerPermission/)
    const own = join(place.store, 'masters', '1', 'config', 'skuaSettings.properties')
    assert.match(readFileSync(own, 'latin1'), /^brokerPermission=4$/m)

    const { code, ms } = await family.signal('SIGTERM')
    assert.equal(code, 0)
    assert.ok(ms < 30_000, `${ms}`)
    await place.gone(now)
    assert.deepEqual(areClosed(place), [true, true])

    const fewer = place.start()
    assert.equal(await fewer.exit(), 1)
    assert.match(fewer.errors, /^skua: masters=1: nobody would serve the messages of broker-a-1 \(.*masters\/1\)/)
  } finally {
    await sending.close()
    await session.close()
    await place.close()
  }
})

test('ping misses one that has left; all end with whoever started them, cleanly, though that one was killed', {
  skip,
}, async () => {
  const place = await FamilyPlace.open(2)
  const session = connect({ namesrvAddr: place.namesrvAddr })
  try {
    const family = await place.started(2)
    const children = place.children(family)
    assert.equal((await people('ping', place.namesrvAddr)).exitCode, 0)
    await leave(session, 'broker-a-1')
    await until('missed', async () => {
      const { exitCode, errors } = await people('ping', place.namesrvAddr)
      return exitCode === 1 && /broker broker-a-1: no name server knows it/.test(errors)
    })
    family.child.kill('SIGKILL')
    await place.gone(children)
    assert.deepEqual(areClosed(place), [true, true])
  } finally {
    await session.close()
    await place.close()
  }
})

test('a family of which one cannot start does not start, and says which and why; no process is left', {
  skip,
}, async () => {
  const place = await FamilyPlace.open(2)
  const port = place.listenPort + portStride
  const rival = createServer().listen(port)
  try {
    const family = place.start('--masters', '2')
    let children: number[] = []
    await until('begun', () => {
      children = place.children(family)
      return children.length === 2
    })
    assert.equal(await family.exit(), 1)
    assert.match(
      family.errors,
      new RegExp(
        `^skua: broker-a-1 does not start: .*${port}.*listenPort of ${place.conf}, from which broker-a-1 takes its own`,
        'm',
      ),
    )
    assert.doesNotMatch(family.output, /boot success/)
    await place.gone(children)
  } finally {
    rival.close()
    await place.close()
  }
})
