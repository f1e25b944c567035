import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDashboard, startDashboard } from '../src/admin/dashboard.ts'
import { runCalls } from '../src/admin/dashboard-calls.ts'
import { shapeDifferences, surprisesIn } from '../src/admin/shape-differences.ts'
import { type Server, startWorld } from '../src/admin/world.ts'
import { referenceVersions } from '../src/reference/jars.ts'

/** The jar is not published: `mvn package` of apache/rocketmq-dashboard makes it. */
const jar = process.env['SKUA_DASHBOARD_JAR']
const options = { skip: jar === undefined && 'SKUA_DASHBOARD_JAR names no jar', timeout: 300_000 }

async function answersAt(server: Server) {
  const world = await startWorld(server)
  try {
    const dashboard = await startDashboard(jar ?? '', world.namesrvAddr)
    try {
      return await runCalls(dashboard, world)
    } finally {
      await dashboard.stop()
    }
  } finally {
    await world.stop()
  }
}

test('rocketmq-dashboard answers at Skua with the shapes that it answers with at RocketMQ', options, async () => {
  const ours = await answersAt('skua')
  assert.deepEqual(surprisesIn([readDashboard('5.3.3'), readDashboard('4.9.7')], ours), [])
})

for (const server of referenceVersions) {
  test(`what is recorded of the dashboard at RocketMQ ${server} is what it answers`, options, async () => {
    assert.deepEqual(shapeDifferences('', readDashboard(server), await answersAt(server)), [])
  })
}
