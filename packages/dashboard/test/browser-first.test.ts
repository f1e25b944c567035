import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { en } from '../page/text/en.ts'
import { accountLine, startDashboard } from '../src/index.ts'
import { openTab, skip } from './browser.ts'
import { browserWorld } from './browser-world.ts'
import { buildPage } from './page.ts'

/** Names of what the page asks its API for, in their order. */
function asked(page: Page): string[] {
  const names: string[] = []
  page.on('request', request => {
    const name = /\/api\/(.*)$/.exec(request.url())?.[1]
    if (name !== undefined) names.push(name)
  })
  return names
}

const many = (names: readonly string[], name: string): number => names.filter(one => one === name).length

describe('the first picture in a browser', { skip, timeout: 60_000 }, () => {
  const world = browserWorld()

  test('who asks is asked for before there is a script, and once', async () => {
    await world.inTab({}, async ({ page, go }) => {
      const names = asked(page)
      // No script until `me` is on its way: without it the page would stay empty.
      const begun = page.waitForRequest(/api\/me$/)
      await page.route(/app\.js$/, async route => {
        await begun
        await route.continue()
      })
      await go('overview')
      await page.locator('.tile .figure').first().waitFor()
      assert.equal(many(names, 'me'), 1)
    })
  })

  for (const [hash, name] of [
    ['', 'overview'],
    ['overview', 'overview'],
    ['topics', 'topics'],
    ['groups', 'groups'],
    ['brokers', 'overview'],
  ] as const)
    test(`#/${hash} asks for ${name} before it is known who asks`, async () => {
      await world.inTab({}, async ({ page, go }) => {
        const names = asked(page)
        const begun = page.waitForRequest(request => request.url().endsWith(`/api/${name}`))
        await page.route(/api\/me$/, async route => {
          await begun
          await route.continue()
        })
        await go(hash)
        await page.locator('.table .space .row, .tile .figure').first().waitFor()
        assert.equal(many(names, 'me'), 1)
        assert.equal(many(names, name), 1, names.join())
      })
    })

  test('nobody is let in by it: who signs in is asked for anew, and who is in stays in with one question', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'skua-dashboard-'))
    const accounts = join(folder, 'accounts')
    writeFileSync(accounts, `${await accountLine({ name: 'val', role: 'view', password: 'correct horse' })}\n`)
    const { namesrvAddr } = world.demo
    const clusters = [
      { name: 'a', namesrvAddr },
      { name: 'b', namesrvAddr },
    ]
    const closed = await startDashboard({ clusters, port: 0, accounts, page: await buildPage(), sampleMs: 0 })
    const { page, complaints, close } = await openTab(world.browser, closed.url, { theme: 'dark' })
    try {
      await page.goto(`${closed.url}#/topics?cluster=b`)
      await page.getByLabel(en.accountName).fill('val')
      assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme), 'dark')
      await page.getByLabel(en.password).fill('correct horse')
      await page.getByRole('button', { name: en.signIn }).click()
      await page.locator('.table .space .row').first().waitFor()
      const names = asked(page)
      await page.reload()
      await page.locator('.table .space .row').first().waitFor()
      assert.deepEqual([many(names, 'me'), many(names, 'topics?cluster=b')], [1, 1], names.join())
      await page.getByRole('button', { name: en.signOut }).click()
      await page.getByLabel(en.password).waitFor()
      assert.equal(await page.locator('.table').count(), 0)
      assert.deepEqual(complaints, [])
    } finally {
      await close()
      await closed.stop()
      rmSync(folder, { recursive: true })
    }
  })
})
