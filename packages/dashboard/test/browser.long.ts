import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type AdminSession, connect, findTopicRoute, groupConfig, messagesByKey } from '@skua-mq/admin'
import type { Locator, Page } from 'playwright-core'
import { en } from '../page/text/en.ts'
import { zh } from '../page/text/zh.ts'
import { accountLine, startDashboard } from '../src/index.ts'
import { openTab, skip } from './browser.ts'
import { browserWorld } from './browser-world.ts'
import { damage, hostileTexts, makeHostile, unharmed } from './hostile.ts'
import { buildPage } from './page.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface Violation {
  readonly id: string
  readonly impact: string
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[]
}

/** Findings that axe calls serious or critical. */
async function findings(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() => {
    const { axe: judge } = window as unknown as { axe: { run(): Promise<{ violations: unknown[] }> } }
    return judge.run() as Promise<{ violations: Violation[] }>
  })
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 200)} ${nodes[0]?.failureSummary}`)
}

describe('in a browser, at length', { skip, timeout: 1_200_000 }, () => {
  const world = browserWorld()

  for (const theme of ['light', 'dark'] as const)
    for (const language of ['en', 'zh'] as const)
      test(`every page and tab in ${language}, ${theme}: no serious finding of axe, no complaint`, async () => {
        await world.inTab({ theme, language, bypassCSP: true }, async ({ page, go }) => {
          const all = new Map<string, string>()
          for (const hash of world.all()) {
            await go(hash)
            for (const one of await findings(page)) all.set(one.replace(/\d+/g, '0'), `${hash}: ${one}`)
          }
          assert.deepEqual([...all.values()], [])
        })
      })

  test('each of 200 hostile texts in every place that a page shows: none runs', async () => {
    const atOnce = 10
    for (let round = 0; round < hostileTexts.length / atOnce; round++) {
      const texts = hostileTexts.slice(round * atOnce, (round + 1) * atOnce)
      await world.inTab({}, async ({ page, go }) => {
        await makeHostile(page, texts, { atOnce })
        for (const hash of world.all()) {
          await go(hash)
          assert.deepEqual(await damage(page), unharmed, `${hash}: ${texts[0]}`)
        }
      })
    }
  })

  test('signing in: a wrong password is told, a viewer is shown nothing that changes, signing out ends it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'skua-dashboard-'))
    const accounts = join(folder, 'accounts')
    writeFileSync(accounts, `${await accountLine({ name: 'val', role: 'view', password: 'correct horse' })}\n`)
    const { namesrvAddr } = world.demo
    const closed = await startDashboard({ namesrvAddr, port: 0, accounts, page: await buildPage(), sampleMs: 0 })
    const { page, complaints, close } = await openTab(world.browser, closed.url, { bypassCSP: true })
    try {
      await page.goto(`${closed.url}#/topic/Orders`)
      await page.getByLabel(en.accountName).fill('val')
      await page.getByLabel(en.password).fill('wrong horse')
      assert.deepEqual(await findings(page), [])
      await page.getByRole('button', { name: en.signIn }).click()
      await page.getByText('no account has this name and password').waitFor()
      await page.getByLabel(en.password).fill('correct horse')
      await page.getByRole('button', { name: en.signIn }).click()
      await page.getByRole('tab', { name: en.queues }).waitFor()
      for (const name of [en.sendMessage, en.change, en.delete])
        assert.equal(await page.getByRole('button', { name, exact: true }).count(), 0, name)
      await page.getByRole('button', { name: en.signOut }).click()
      await page.getByLabel(en.password).waitFor()
      await page.reload()
      await page.getByLabel(en.password).waitFor()
      assert.deepEqual(complaints, [])
    } finally {
      await close()
      await closed.stop()
      rmSync(folder, { recursive: true })
    }
  })

  for (const [language, words] of [
    ['en', en],
    ['zh', zh],
  ] as const)
    test(`every action, in ${language}`, async () => {
      const session = connect({ namesrvAddr: world.demo.namesrvAddr })
      try {
        await world.inTab({ language, width: 1500 }, async ({ page, go }) => {
          const hand = new Hand(page, words, go)
          const suffix = language
          await topics(hand, session, `Made-${suffix}`)
          await sends(hand, session, `by-hand-${suffix}`)
          await groups(hand, session, `made-${suffix}`)
          await offsets(hand)
          await letters(hand)
          await waits(hand, world.demo)
          await brokers(hand, world.demo.brokerAddr)
          await looks(hand, world.demo)
        })
      } finally {
        await session.close()
      }
    })
})

type Words = Readonly<Record<keyof typeof en, string>>

/** What a person does, by the words of the page. */
class Hand {
  readonly page: Page
  readonly words: Words
  readonly go: (hash: string) => Promise<void>

  constructor(page: Page, words: Words, go: (hash: string) => Promise<void>) {
    this.page = page
    this.words = words
    this.go = go
  }

  say(key: keyof typeof en, values: Readonly<Record<string, string | number>> = {}): string {
    return this.words[key].replace(/\{(\w+)\}/g, (whole, name: string) =>
      name in values ? String(values[name]) : whole,
    )
  }

  get dialog(): Locator {
    return this.page.getByRole('dialog')
  }

  async press(key: keyof typeof en, values = {}): Promise<void> {
    await this.page
      .getByRole('button', { name: this.say(key, values), exact: true })
      .first()
      .click()
  }

  async pressIn(key: keyof typeof en, values = {}): Promise<void> {
    await this.dialog
      .getByRole('button', { name: this.say(key, values), exact: true })
      .last()
      .click()
  }

  async fill(key: keyof typeof en, text: string, values = {}): Promise<void> {
    await this.dialog.getByLabel(this.say(key, values)).first().fill(text)
  }

  async confirm(name: string, key: keyof typeof en): Promise<void> {
    const verb = this.dialog.getByRole('button', { name: this.say(key), exact: true }).last()
    assert.ok(await verb.isDisabled(), 'the name is to be typed first')
    await this.fill('typeName', name, { name })
    await verb.click()
    await this.dialog.waitFor({ state: 'detached' })
  }

  async closed(): Promise<void> {
    await this.dialog.waitFor({ state: 'detached' })
  }
}

async function topics(hand: Hand, session: AdminSession, topic: string): Promise<void> {
  await hand.go('topics')
  await hand.press('newTopic')
  await hand.fill('name', topic)
  await hand.fill('queuesPerBroker', '3')
  await hand.pressIn('create')
  await hand.page.waitForURL(new RegExp(`#/topic/${topic}`))
  assert.equal((await findTopicRoute(session, topic))?.queues[0]?.writeQueueNums, 3)
  await hand.page.getByRole('button', { name: hand.say('change'), exact: true }).click()
  await hand.dialog.getByLabel(hand.say('permission')).selectOption('4')
  await hand.pressIn('save')
  await hand.closed()
  await hand.press('delete')
  await hand.confirm(topic, 'delete')
  await hand.page.waitForURL(/#\/topics/)
}

async function sends(hand: Hand, session: AdminSession, key: string): Promise<void> {
  await hand.go('topic/Orders')
  await hand.press('sendMessage')
  await hand.dialog.getByRole('textbox', { name: hand.say('body') }).fill('{"by":"hand"}')
  await hand.fill('tag', 'paid')
  await hand.fill('keys', key)
  await hand.fill('orderKey', 'c1')
  await hand.fill('properties', 'channel=web')
  await hand.pressIn('send')
  await hand.dialog.getByText('SEND_OK').waitFor()
  await hand.pressIn('close')
  const [sent] = await messagesByKey(session, { topic: 'Orders', key })
  assert.deepEqual([sent!.tags, sent!.properties['channel']], ['paid', 'web'])
  const link = hand.page.getByRole('link', { name: hand.say('download') })
  const [saved] = await Promise.all([hand.page.waitForEvent('download'), link.click()])
  assert.equal(saved.suggestedFilename(), 'Orders.jsonl')
}

async function groups(hand: Hand, session: AdminSession, group: string): Promise<void> {
  await hand.go('groups')
  await hand.press('newGroup')
  await hand.fill('name', group)
  await hand.pressIn('create')
  await hand.page.waitForURL(new RegExp(`#/group/${group}`))
  await hand.press('change')
  await hand.fill('retryMaxTimes', '3')
  await hand.pressIn('save')
  await hand.closed()
  assert.equal((await groupConfig(session, group))[0]!.config.retryMaxTimes, 3)
  await hand.press('delete')
  await hand.confirm(group, 'delete')
  await hand.go('group/billing?tab=members')
  await hand.page.locator('.table .space .row button.link').first().click()
  await hand.dialog.getByText('PROP_CLIENT_VERSION').waitFor()
  await hand.page.keyboard.press('Escape')
  await hand.closed()
}

async function offsets(hand: Hand): Promise<void> {
  for (const to of ['latest', 'earliest', 'queues'] as const) {
    await hand.go('group/stock')
    await hand.press('resetOffsets')
    await hand.dialog.getByLabel(hand.say('goTo')).selectOption(to)
    if (to === 'queues') await hand.dialog.getByLabel('broker-a/0').fill('1')
    await hand.pressIn('preview')
    await hand.fill('typeName', 'stock', { name: 'stock' })
    await hand.pressIn('resetNow')
    await hand.dialog.getByText(hand.say('resetCommitted')).waitFor()
    await hand.pressIn('close')
  }
  await hand.go('group/stock?tab=history')
  await hand.press('undoLast')
  await hand.pressIn('undoNow')
  await hand.closed()
}

async function letters(hand: Hand): Promise<void> {
  await hand.go('dead-letters/ledger')
  await hand.page.getByRole('checkbox').first().check()
  await hand.press('resendPicked', { count: 1 })
  await hand.pressIn('resend')
  await hand.dialog.getByText('SEND_OK').first().waitFor()
  await hand.pressIn('close')
  await hand.press('resendAll')
  await hand.fill('typeName', 'ledger', { name: 'ledger' })
  await hand.pressIn('resend')
  await hand.dialog.getByText('SEND_OK').first().waitFor()
  await hand.pressIn('close')
}

async function waits(
  hand: Hand,
  {
    producer,
  }: {
    readonly producer: {
      send(message: object): Promise<unknown>
      transaction(message: object, run: () => Promise<unknown>): Promise<unknown>
    }
  },
): Promise<void> {
  await producer.send({ topic: 'Reminders', body: 'soon', delayMs: 1_800_000 })
  for (const _ of [1, 2]) await producer.transaction({ topic: 'Receipts', body: 'half' }, async () => 'unknown')
  await hand.go('waiting')
  await hand.press('moveIt')
  await hand.dialog.locator('input').first().fill('2040-01-01T00:00:00')
  await hand.pressIn('save')
  await hand.dialog.getByRole('alert').or(hand.page.locator('main:not(:has(dialog))')).first().waitFor()
  await hand.page.keyboard.press('Escape')
  await hand.press('cancelIt')
  await hand.confirm('Reminders', 'cancelIt')
  await hand.press('commit')
  await hand.confirm('Receipts', 'commit')
  await hand.press('rollback')
  await hand.confirm('Receipts', 'rollback')
}

async function brokers(hand: Hand, address: string): Promise<void> {
  await hand.go(`broker/${encodeURIComponent(address)}?q=fileReservedTime`)
  await hand.page.getByRole('button', { name: 'fileReservedTime', exact: true }).click()
  const value = String(50 + Math.floor(Math.random() * 20))
  await hand.fill('newValue', value)
  await hand.pressIn('save')
  await hand.dialog.locator('.banner.good').waitFor()
  await hand.pressIn('close')
  for (const work of ['wipe', 'allow', 'commitLog', 'consumeQueues', 'unusedTopics'] as const) {
    await hand.page.getByLabel(hand.say('maintenance')).selectOption(work)
    await hand.confirm('broker-a', 'doIt')
  }
  await hand.go('changes')
  await hand.page.getByText('broker/clean').first().waitFor()
}

async function looks(
  hand: Hand,
  {
    orders,
    producer,
  }: { readonly orders: readonly string[]; readonly producer: { send(message: object): Promise<unknown> } },
): Promise<void> {
  const { page } = hand
  await hand.go('messages')
  await page.getByLabel(hand.say('messageId')).fill(orders[3]!)
  await hand.press('findIt')
  await page.locator('pre.body', { hasText: '1003' }).waitFor()
  await page.getByRole('tab', { name: hand.say('view_hex') }).click()
  await page.locator('pre.body', { hasText: '000000  7b' }).waitFor()
  await hand.go('messages?by=text&topic=Orders')
  await page.getByLabel(hand.say('textWanted')).fill('"order":1011')
  await hand.press('search')
  await page.locator('.table .space .row').first().waitFor()
  await hand.go('tail?topic=Orders')
  await page.getByText(hand.say('live'), { exact: true }).waitFor()
  await producer.send({ topic: 'Orders', body: 'by the way' })
  await page.getByText('by the way').first().waitFor()
  await hand.press('pause')
  await page.getByText(hand.say('paused'), { exact: true }).waitFor()
  await hand.press('clear')
}
