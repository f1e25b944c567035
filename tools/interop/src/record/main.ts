// node --conditions=skua-source --import tsx tools/interop/src/record/main.ts [client-job]...
// Records official clients against real brokers into test/recorded; without arguments all of them.
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ReferenceVersion } from '../reference/jars.ts'
import { type Reference, startReference } from '../reference/start.ts'
import { recordedClients } from './clients.ts'
import { createTopic } from './create-topic.ts'
import { writeRecording } from './frame-line.ts'
import { startRecorder } from './recorder.ts'

const out = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..', 'test', 'recorded')
const asked = process.argv.slice(2)
const references = new Map<ReferenceVersion, Reference>()

async function referenceOf(version: ReferenceVersion): Promise<Reference> {
  const running = references.get(version) ?? (await startReference({ version }))
  references.set(version, running)
  return running
}

// Leaving this way ends the servers too.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
mkdirSync(out, { recursive: true })
try {
  for (const client of recordedClients) {
    for (const { job, server } of client.jobs) {
      const title = `${client.name}-${job.name}`
      if (asked.length > 0 && !asked.includes(title)) continue
      const topic = `Rec_${title.replaceAll(/\W/g, '_')}`
      const recorder = await startRecorder(await referenceOf(server))
      if (client.needsTopic === true) await createTopic(recorder, topic)
      const driver = await client.open()
      try {
        await job.run(driver, { namesrv: recorder.namesrvAddr, topic })
        // What clients say when they are not asked (offsets, heartbeats) belongs to the recording.
        await new Promise(resolve => setTimeout(resolve, 300))
      } finally {
        await driver.kill()
        const lines = await recorder.stop()
        writeRecording(join(out, `${title}.jsonl`), lines)
        console.log(`${title} against ${server}: ${lines.length} frames`)
      }
    }
  }
} finally {
  for (const reference of references.values()) await reference.stop('SIGKILL')
}
