// npm run docs:pictures: the pictures of docs/dashboard.md, out of the demo that the tests use.
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startDashboard } from '../src/index.ts'
import { openBrowser, openTab } from './browser.ts'
import { startDemo } from './demo.ts'
import { buildPage } from './page.ts'

const folder = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'docs', 'images')
mkdirSync(folder, { recursive: true })
const demo = await startDemo()
const listener = await startDashboard({
  clusters: [{ name: 'shop', namesrvAddr: demo.namesrvAddr }],
  port: 0,
  page: await buildPage(),
  sampleMs: 100,
})
const browser = await openBrowser()
const shoot = async (name: string, hash: string, { theme = 'light' as 'light' | 'dark', press = '' } = {}) => {
  const tab = await openTab(browser, listener.url, { width: 1080, height: 640, theme })
  await tab.go(hash)
  await tab.page.waitForTimeout(1_500)
  if (press !== '') {
    await tab.page.getByRole('button', { name: press }).first().click()
    await tab.page.getByRole('button', { name: 'Preview' }).click()
    await tab.page.getByText('consumed again').waitFor()
  }
  await tab.page.screenshot({ path: join(folder, `dashboard-${name}.png`) })
  await tab.close()
}
for (let i = 0; i < 40; i++) await demo.producer.send({ topic: 'Orders', body: `{"order":${2000 + i}}`, tag: 'new' })
await shoot('overview', 'overview')
await shoot('message', `message/${demo.orders[45]}?topic=Orders`)
await shoot('reset', 'group/stock', { press: 'Reset offsets' })
await shoot('dark', 'topic/Orders', { theme: 'dark' })
await browser.close()
await listener.stop()
await demo.stop()
