import assert from 'node:assert/strict'
import { test } from 'node:test'
import { referenceVersions } from '../../../tools/interop/src/reference/jars.ts'
import { startReference } from '../../../tools/interop/src/reference/start.ts'
import { skipWithout } from '../../../tools/interop/src/toolchain.ts'
import { until } from '../../skua/test/people/run.ts'
import { startDashboard } from '../src/index.ts'
import { openBrowser, openTab, pagesOf, skip } from './browser.ts'
import { get, post, query } from './dash.ts'
import { demoConfig, fillDemo } from './demo.ts'
import { buildPage } from './page.ts'

/** What a page must show of the data, beside being without complaint; by the beginning of its address. */
const shows: readonly (readonly [string, RegExp])[] = [
  ['overview', /DefaultCluster|broker/],
  ['topics', /Orders[\s\S]*Payments/],
  ['topic/Orders', /Orders/],
  ['topic/Orders?tab=groups', /billing[\s\S]*stock|stock[\s\S]*billing/],
  ['groups', /billing[\s\S]*ledger[\s\S]*stock|stock[\s\S]*billing/],
  ['group/billing', /Orders/],
  ['group/billing?tab=members', /127\.0\.0\.1|TypeScript|NODE|OTHER/i],
  ['messages?by=key', /order-1004/],
  ['messages?by=browse', /order-10/],
  ['message/', /customer[\s\S]*region/],
  ['dead-letters/ledger', /cannot be booked/],
  ['dead', /ledger/],
]

for (const version of referenceVersions) {
  test(`every page of the dashboard draws what RocketMQ ${version} has, in a browser`, {
    skip: skip || skipWithout('java'),
    timeout: 300_000,
  }, async () => {
    const conf = Object.fromEntries(Object.entries(demoConfig).map(([key, value]) => [key, String(value)]))
    const reference = await startReference({ version, conf })
    const { namesrvAddr, brokerAddr } = reference
    const [page, browser] = [await buildPage(), await openBrowser()]
    const listener = await startDashboard({ namesrvAddr, port: 0, page, sampleMs: 200 })
    try {
      const demo = await fillDemo(namesrvAddr, { hasTimers: version !== '4.9.7' })
      // Apache's brokers make topics of dead letters that can only be written.
      const perm = { topic: '%DLQ%ledger', clusterName: 'DefaultCluster', perm: 6 }
      await until('its topic may be read', async () => (await post(listener, '/api/topic/perm', perm)).status === 200)
      await until('its letters are there', async () => {
        const { rows } = (await get(listener, `/api/dead/letters?${query({ group: 'ledger' })}`)).body as {
          rows?: unknown[]
        }
        return rows?.length === 2
      })
      const tab = await openTab(browser, listener.url)
      const wrong: string[] = []
      for (const hash of pagesOf({ brokerAddr, id: demo.orders[40]! })) {
        await tab.go(hash)
        const bad = await tab.page.locator('.banner.bad').allTextContents()
        const text = (await tab.page.locator('main').textContent()) ?? ''
        // Apache's brokers have no history of offsets: said in a sentence.
        if (hash.endsWith('tab=history')) {
          if (!/RocketMQ|request code|not supported|Skua/.test(`${bad} ${text}`)) wrong.push(`${hash}: ${text}`)
          continue
        }
        if (bad.length > 0) wrong.push(`${hash}: ${bad.join(' | ')}`)
        for (const [begin, wanted] of shows)
          if (hash.startsWith(begin) && (begin.includes('?') || !hash.includes('?') || begin === 'message/'))
            if (!wanted.test(text)) wrong.push(`${hash} shows no ${wanted}: ${text.slice(0, 300)}`)
      }
      assert.deepEqual([...wrong, ...tab.complaints], [])
      await tab.close()
      await demo.close()
    } finally {
      await browser.close()
      await listener.stop()
      await reference.stop('SIGKILL')
    }
  })
}
