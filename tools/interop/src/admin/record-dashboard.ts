// SKUA_DASHBOARD_JAR=rocketmq-dashboard.jar node --conditions=skua-source --import tsx tools/interop/src/admin/record-dashboard.ts
// Records the shapes of what rocketmq-dashboard answers before real servers into tools/interop/recorded.

import { referenceVersions } from '../reference/jars.ts'
import { startDashboard, writeDashboard } from './dashboard.ts'
import { runCalls } from './dashboard-calls.ts'
import { startWorld } from './world.ts'

const jar = process.env['SKUA_DASHBOARD_JAR']
if (jar === undefined)
  throw new Error('SKUA_DASHBOARD_JAR names no jar: build it of the source of apache/rocketmq-dashboard')
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
for (const server of referenceVersions) {
  const world = await startWorld(server)
  try {
    const dashboard = await startDashboard(jar, world.namesrvAddr)
    try {
      const shapes = await runCalls(dashboard, world)
      writeDashboard(server, shapes)
      console.log(`dashboard at ${server}: ${Object.keys(shapes).length} calls`)
    } finally {
      await dashboard.stop()
    }
  } finally {
    await world.stop()
  }
}
