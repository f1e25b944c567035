import assert from 'node:assert/strict'
import { test } from 'node:test'
import { registerBroker, updateBrokerConfig } from '@skua-mq/protocol'
import { ok, RemotingServer, route } from '@skua-mq/remoting'
import { delay, type Event, simRuntime } from '@skua-mq/runtime'
import { Exporter, maxScrapes } from '../../src/metrics/exporter.ts'
import { World } from '../world.ts'
import { ask, metricsPort, metricsWorld, scraped } from './scrape-world.ts'

test('without metrics nobody listens, nothing is counted for them, and no timer runs', async () => {
  const world = await new World().start()
  await assert.rejects(ask(world, '/metrics'), { code: 'ECONNREFUSED' })
  assert.equal(world.broker.metricsAt, undefined)
  await world.stop()
})

test('it listens before the store is open, and says that the broker is not ready until it is', async () => {
  const world = metricsWorld({ namesrvAddr: 'ns:9876' })
  const { clock, network } = world.runtime
  const names = new RemotingServer({
    ...simRuntime({ seed: 5, host: 'ns', clock, network }),
    name: 'ns',
    listen: [{ host: network.addressOf('ns'), port: 9876 }],
    routes: [
      route(registerBroker, async () => {
        await delay(clock, 1500)
        return ok({})
      }),
    ],
  })
  await world.settle(names.start())
  const seen: string[] = []
  const look = async () => {
    for (let i = 0; i < 3000; i++) {
      const found = await world.runtime.http.ask(metricsPort, '/ready').catch(() => undefined)
      if (found !== undefined) seen.push(`${found.status} ${JSON.parse(found.pieces.join('')).remark ?? ''}`)
      if (found?.status === 200) return
      await delay(clock, 1)
    }
  }
  const looking = look()
  await world.start()
  await world.settle(looking)
  assert.deepEqual(
    [...new Set(seen)],
    ['503 the broker is starting', '503 no name server has taken the registration yet', '200 '],
  )
  await world.stop()
  await world.settle(names.stop())
})

test('a broker that stops is not ready, tells no metrics any more, and leaves no port and no timer', async () => {
  const world = await metricsWorld().start()
  assert.equal((await ask(world, '/ready')).status, 200)
  await world.client('producer').send('T', 'one')
  // The last sync of the log takes a while.
  const quick = world.runtime.disk.faults.slow({ on: 'sync', ms: 500, path: '/store/commitlog' })
  const stopping = world.stop()
  await world.pass(100)
  const { status, text } = await ask(world, '/ready')
  assert.deepEqual([status, JSON.parse(text)], [503, { status: 'not ready', remark: 'the broker is stopping' }])
  const metrics = await ask(world, '/metrics')
  assert.deepEqual([metrics.status, metrics.text], [503, 'the broker starts or stops\n'])
  // It lets time pass itself; a second one who did would find nothing more to wait for.
  await stopping
  quick()
  await assert.rejects(ask(world, '/ready'), { code: 'ECONNREFUSED' })
  assert.equal(world.runtime.clock.nextInMs, undefined)
})

test('health goes by what can be done: writing, reading, or neither', async () => {
  const world = await metricsWorld().start()
  const health = async () => {
    const { status, text, type } = await ask(world, '/health')
    assert.equal(type, 'application/json')
    return [status, JSON.parse(text)]
  }
  assert.deepEqual(await health(), [200, { status: 'ok', readable: true, writable: true }])
  const tool = world.client('tool')
  const allow = (bits: number) => tool.ask(updateBrokerConfig, {}, `brokerPermission=${bits}`)
  await allow(4)
  assert.deepEqual(await health(), [
    200,
    { status: 'read-only', readable: true, writable: false, cause: 'refused', remark: 'brokerPermission is 4' },
  ])
  await allow(0)
  assert.equal((await health())[0], 503)
  assert.equal((await ask(world, '/ready')).status, 503)
  await allow(6)
  world.runtime.disk.faults.fail({ on: 'sync', code: 'EIO', path: '/store/commitlog' })
  await tool.send('T', 'one')
  await world.pass(11_000)
  const [status, body] = await health()
  assert.deepEqual([status, body.status, body.cause], [200, 'read-only', 'log sync'])
  assert.match(body.remark, /fdatasync of the commit log failed/)
  const now = await scraped(world)
  assert.deepEqual([now.value('skua_store_writable'), now.value('skua_store_health', { cause: 'log sync' })], [0, 1])
  assert.ok(now.value('skua_fsync_failures_total')! > 0)
  await world.stop()
})

test('a port that is taken refuses the start, by the names of its options, and leaves nothing behind', async () => {
  const world = metricsWorld()
  const { net, disk } = world.runtime
  const other = await net.listen({ host: '0.0.0.0', port: metricsPort }, () => {})
  await assert.rejects(world.start(), {
    code: 'EADDRINUSE',
    message: `metricsPromExporterHost, metricsPromExporterPort: cannot listen on ${net.ownAddresses()[0]}:${metricsPort}: the address is in use (EADDRINUSE)`,
  })
  assert.equal(disk.stat('/store'), undefined)
  await other.close()
})

test('scrapes at a time are bounded; whoever looks whether the broker is well is answered all the same', async () => {
  const world = await metricsWorld().start()
  const open = []
  for (let i = 0; i < maxScrapes; i++) {
    const body = world.broker.metricsAt && bodyOf(world)
    open.push(body!)
    // It has begun, and is not read on.
    await world.settle(body!.next())
  }
  assert.equal((await ask(world, '/metrics')).status, 503)
  assert.equal((await ask(world, '/health')).status, 200)
  for (const body of open) await world.settle(body.return!())
  assert.equal((await ask(world, '/metrics')).status, 200)
  await world.stop()
})

/** A scrape whose client takes one piece at a time. */
function bodyOf({ runtime }: World): AsyncIterator<string> {
  const { body } = runtime.http.answer(metricsPort, { method: 'GET', path: '/metrics' })
  return (body as AsyncIterable<string>)[Symbol.asyncIterator]()
}

test('a stop waits for the scrapes that read: behind it nothing of the broker is touched', async () => {
  const world = await metricsWorld().start()
  const body = bodyOf(world)
  await world.settle(body.next())
  let isStopped = false
  const stopping = world.broker.stop().then(() => {
    isStopped = true
  })
  await world.pass(5000)
  assert.equal(isStopped, false)
  await world.settle(body.return!())
  await world.settle(stopping)
  assert.ok(isStopped)
})

test('what is no path of it is told which ones there are', async () => {
  const world = await metricsWorld().start()
  assert.deepEqual([(await ask(world, '/x')).status, (await ask(world, '/')).status], [404, 200])
  await world.stop()
})

test('a source that fails ends its scrape, which does not look like a whole one, and the log says why', async () => {
  const runtime = simRuntime({ seed: 1, host: 'broker' })
  const events: Event[] = []
  const exporter = new Exporter({
    ...{ http: runtime.http, clock: runtime.clock, events: { emit: event => events.push(event) } },
    listen: { host: '', port: metricsPort },
    sources: [
      {
        *collect() {
          yield
          throw new Error('the table is gone')
        },
      },
    ],
    standing: undefined as never,
    exposition: { labels: {}, limit: 10 },
  })
  await exporter.start()
  exporter.open()
  await assert.rejects(runtime.http.ask(metricsPort, '/metrics'), /the table is gone/)
  assert.equal(events.at(-1)?.name, 'metrics: a scrape failed')
  await exporter.close()
  await exporter.stop()
})
