import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import type { Browser } from 'playwright-core'
import { type DashboardListener, startDashboard } from '../src/index.ts'
import { openBrowser, openTab, pagesOf, type Tab, type TabOptions } from './browser.ts'
import { type Demo, startDemo } from './demo.ts'
import { buildPage } from './page.ts'

/** A demo cluster, its dashboard and a browser, for the tests of a `describe`. */
export interface World {
  readonly demo: Demo
  readonly listener: DashboardListener
  readonly browser: Browser
  /** Every page of it with all its tabs, and each page once. */
  all(): readonly string[]
  once(): readonly string[]
  /** A tab that must not have complained when it is closed. */
  inTab(options: TabOptions, run: (tab: Tab) => Promise<void>): Promise<void>
}

export function browserWorld(): World {
  const world: { demo?: Demo; listener?: DashboardListener; browser?: Browser } = {}
  before(async () => {
    // One after another: a browser that starts takes the machine for some seconds.
    const demo = await startDemo()
    const [page, browser] = [await buildPage(), await openBrowser()]
    Object.assign(world, { demo, browser })
    world.listener = await startDashboard({ namesrvAddr: demo.namesrvAddr, port: 0, page, sampleMs: 200 })
  })
  after(async () => {
    await world.browser?.close()
    await world.listener?.stop()
    await world.demo?.stop()
  })
  const all = () => pagesOf({ brokerAddr: world.demo!.brokerAddr, id: world.demo!.orders[40]! })
  return {
    get demo() {
      return world.demo!
    },
    get listener() {
      return world.listener!
    },
    get browser() {
      return world.browser!
    },
    all,
    once: () => all().filter(hash => !hash.includes('tab=') && !/by=(text|browse)/.test(hash)),
    inTab: async (options, run) => {
      const tab = await openTab(world.browser!, world.listener!.url, options)
      try {
        await run(tab)
        assert.deepEqual(tab.complaints, [])
      } finally {
        await tab.close()
      }
    },
  }
}
