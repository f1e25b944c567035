import { existsSync } from 'node:fs'
import type { Browser, BrowserContext, Page } from 'playwright-core'

const places = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
]
const isRequired = (process.env['SKUA_REQUIRE'] ?? '').split(',').includes('chromium')

/** The browser of this machine; undefined where there is none, and none is required (SKUA_REQUIRE). */
export const chromium = [process.env['SKUA_CHROMIUM'] ?? '', ...places].find(path => path !== '' && existsSync(path))
if (chromium === undefined && isRequired)
  throw new Error('SKUA_REQUIRE says chromium, and there is none: apt-get install chromium')

/** For `test(name, { skip }, …)`. */
export const skip =
  chromium === undefined ? 'no chromium: apt-get install chromium, or say where in SKUA_CHROMIUM' : false

export async function openBrowser(): Promise<Browser> {
  const { chromium: kind } = await import('playwright-core')
  return kind.launch({ executablePath: chromium!, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
}

/** A page, and all that it complained of: errors of scripts and of its policy. */
export interface Tab {
  readonly page: Page
  readonly context: BrowserContext
  readonly complaints: string[]
  /** Goes to an address of the dashboard and waits until it has drawn what it asked for. */
  go(hash: string): Promise<void>
  close(): Promise<void>
}

export interface TabOptions {
  readonly language?: 'en' | 'zh'
  readonly theme?: 'auto' | 'light' | 'dark'
  readonly width?: number
  readonly height?: number
  /** For axe, which is put into the page. Default false. */
  readonly bypassCSP?: boolean
}

export async function openTab(browser: Browser, url: string, options: TabOptions = {}): Promise<Tab> {
  const { language = 'en', theme = 'light', width = 1280, height = 900, bypassCSP = false } = options
  const context = await browser.newContext({ viewport: { width, height }, bypassCSP, timezoneId: 'Europe/Berlin' })
  await context.addInitScript(
    ([words, colours]) => {
      localStorage.setItem('skua-language', words)
      localStorage.setItem('skua-theme', colours)
    },
    [language, theme] as const,
  )
  const page = await context.newPage()
  page.setDefaultTimeout(10_000)
  const complaints: string[] = []
  page.on('pageerror', error => complaints.push(error.message))
  page.on('console', message => {
    // What is refused on purpose is shown on the page.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      complaints.push(message.text())
  })
  const go = async (hash: string) => {
    await page.goto(`${url}#/${hash}`)
    await page.waitForFunction(
      () => document.querySelector('main') !== null && document.querySelector('.loading') === null,
    )
  }
  return { page, context, complaints, go, close: () => context.close() }
}

/** Every page, with what it needs. */
export const pagesOf = ({
  brokerAddr,
  id,
}: {
  readonly brokerAddr: string
  readonly id: string
}): readonly string[] => [
  'overview',
  'topics',
  'topic/Orders',
  'topic/Orders?tab=queues',
  'topic/Orders?tab=groups',
  'topic/Orders?tab=settings',
  'groups',
  'group/billing',
  'group/billing?tab=members',
  'group/stock?tab=history',
  'group/billing?tab=settings',
  'messages',
  'messages?by=key&topic=Orders&key=order-1004',
  'messages?by=text&topic=Orders',
  'messages?by=browse&topic=Orders',
  `message/${id}?topic=Orders`,
  'dead',
  'dead-letters/ledger',
  'tail?topic=Orders',
  'waiting',
  'brokers',
  `broker/${encodeURIComponent(brokerAddr)}`,
  `broker/${encodeURIComponent(brokerAddr)}?tab=runtime`,
  `broker/${encodeURIComponent(brokerAddr)}?tab=clients`,
  'changes',
]
