// Delayed messages of a store of ours come at the real brokers when their time is over, and what was delivered here does
// not come again there: its places are in delayOffset.json, which each writes in its own way. The same from them to us.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { javaClient } from '../src/java-client.ts'
import { freeBrokerPort, freePort } from '../src/reference/free-ports.ts'
import { referenceVersions } from '../src/reference/jars.ts'
import { startReference } from '../src/reference/start.ts'
import { skipWithout } from '../src/toolchain.ts'
import { until } from '../src/until.ts'
import { SkuaProcess } from './skua-process.ts'

const geometry = { mappedFileSizeCommitLog: 1024 * 1024 }
const topic = 'Late'
/** A second, and half a minute: longer than the change of brokers takes. */
const [soon, later] = [1, 4]

type Stop = (signal: NodeJS.Signals) => Promise<void>

describe('delayed messages', { skip: skipWithout('java'), concurrency: 1 }, () => {
  for (const version of referenceVersions)
    test(`go with a store of ours to RocketMQ ${version} and back, each delivered once`, async () => {
      const store = mkdtempSync(join(tmpdir(), 'skua-store-delays-'))
      const [broker, nameServer] = [await freeBrokerPort(), await freePort()]
      const ours = async (): Promise<Stop> => {
        const skua = await SkuaProcess.start({ store, broker, nameServer, config: geometry })
        return signal => skua.stop(signal)
      }
      const theirs = async (): Promise<Stop> => {
        const reference = await startReference({
          version,
          ports: { nameServer, broker },
          storeDir: mkdtempSync(join(store, 'home-')),
          conf: { ...geometry, storePathRootDir: store, storePathCommitLog: join(store, 'commitlog') },
        })
        return signal => reference.stop(signal)
      }
      const wanted: string[] = []
      const bodies = async (java: Awaited<ReturnType<typeof javaClient>>): Promise<string[]> => {
        const ask = { namesrv: `127.0.0.1:${nameServer}`, topic }
        const all = await java.call<{ body: string }[]>('readAll', ask).catch(() => [])
        return all.map(({ body }) => body).sort()
      }
      try {
        for (const [name, start] of Object.entries({ ours, theirs, 'ours again': ours })) {
          const stop = await start()
          const java = await javaClient('4.9.8')
          try {
            const send = async (delayLevel: number, count: number) => {
              const body = `${name} ${delayLevel}`
              const request = { namesrv: `127.0.0.1:${nameServer}`, topic, count, body, delayLevel, timeoutMs: 10_000 }
              const sent = await java.call<{ status: string }[]>('send', request)
              assert.ok(sent.every(({ status }) => status === 'SEND_OK'))
              for (let i = 0; i < count; i++) wanted.push(`${body} ${i}`)
            }
            // What waited when the brokers changed; then what is delivered here.
            await until(async () => (await bodies(java)).length === wanted.length, 'what waited is there', 90_000)
            await send(soon, 3)
            await until(async () => (await bodies(java)).length === wanted.length, 'three more are there')
            assert.deepEqual(await bodies(java), wanted.toSorted())
            // The last broker has nobody behind it.
            if (name !== 'ours again') await send(later, 5)
          } finally {
            await java.kill()
            await stop('SIGTERM')
          }
        }
      } finally {
        rmSync(store, { recursive: true, force: true })
      }
    })
})
