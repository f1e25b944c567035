import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { NodeClock, NodeDisk, NodeProcessFacts, NodeTurn, noEvents } from '@skua-mq/runtime'
import { type PutResult, Store, storeConfig } from '../src/index.ts'
import { draftOf, drain, message } from './harness.ts'

test('on a real disk: what was acknowledged is there after a stop and a start, with the default sizes', async () => {
  const root = mkdtempSync(join(tmpdir(), 'skua-store-'))
  try {
    const config = storeConfig({ storePathRootDir: root, flushDiskType: 'SYNC_FLUSH' })
    const needs = { clock: new NodeClock(), disk: new NodeDisk(), events: noEvents, facts: new NodeProcessFacts() }
    const bodies = Array.from({ length: 50 }, (_, i) => `body ${i}`)
    for (let life = 0; life < 2; life++) {
      const turn = new NodeTurn()
      const store = new Store(config, { ...needs, turn })
      await store.start()
      if (life === 0) await Promise.all(bodies.map(body => appended(store, body)))
      assert.deepEqual(await drain({ store, turn: turn as never }, 'T'), bodies)
      await store.stop()
    }
  } finally {
    rmSync(root, { recursive: true })
  }
})

function appended(store: Store, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const stored = (result: PutResult) => (result.status === 'ok' ? resolve() : reject(new Error(result.remark)))
    store.append(draftOf(message('T', body, `KEYS\x01${body}`)), { stored })
  })
}
