import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { connect, groupProgress, putTopic, sendMessage } from '@skua-mq/admin'
import { en } from '../page/text/en.ts'
import { skip } from './browser.ts'
import { browserWorld } from './browser-world.ts'
import { damage, hostileTexts, makeHostile, unharmed } from './hostile.ts'

describe('in a browser', { skip, timeout: 120_000 }, () => {
  const world = browserWorld()

  test('every page draws in Chinese at 400 px, no wider than that, and complains of nothing: neither scripts nor the policy', async () => {
    const english = new Set<string>([
      en.overview,
      en.topics,
      en.groups,
      en.messages,
      en.deadLetters,
      en.changes,
      en.waiting,
    ])
    await world.inTab({ language: 'zh', width: 400, height: 800 }, async ({ page, go }) => {
      for (const hash of world.once()) {
        await go(hash)
        const title = (await page.locator('h1').first().textContent()) ?? ''
        assert.ok(title !== '' && !english.has(title), `${hash}: ${title}`)
        assert.deepEqual(await page.locator('.banner.bad').allTextContents(), [], hash)
        const wide = await page.evaluate(() => document.documentElement.scrollWidth)
        assert.ok(wide <= 400, `${hash}: ${wide} px`)
      }
    })
  })

  for (const language of ['en', 'zh'] as const)
    test(`at 1300 px every table fits into the window, with whole titles and times (${language})`, async () => {
      await world.inTab({ language, width: 1300 }, async ({ page, go }) => {
        for (const hash of world.all()) {
          await go(hash)
          const wide = await page
            .locator('.table')
            .evaluateAll(all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.ariaLabel))
          // Not what may be cut: bodies, ids, names.
          const cut = await page
            .locator('.table .head > div, .table .row > div:has(time, button:not(.link))')
            .evaluateAll(all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.textContent))
          assert.deepEqual({ wide, cut }, { wide: [], cut: [] }, hash)
        }
      })
    })

  test('the dark colours are those of who chose them, or of a machine that is dark', async () => {
    const looks: string[] = []
    for (const machine of ['light', 'dark'] as const)
      for (const chosen of ['auto', 'light', 'dark'] as const)
        await world.inTab({ theme: chosen }, async ({ page, go }) => {
          await page.emulateMedia({ colorScheme: machine })
          await go('overview')
          const { backgroundColor, colorScheme } = await page.evaluate(() => {
            const { backgroundColor } = getComputedStyle(document.body)
            return { backgroundColor, colorScheme: getComputedStyle(document.documentElement).colorScheme }
          })
          looks.push(`${machine} ${chosen}: ${colorScheme} ${backgroundColor}`)
        })
    const [light, dark] = ['light rgb(246, 247, 249)', 'dark rgb(17, 22, 29)']
    assert.deepEqual(looks, [
      ...[`light auto: ${light}`, `light light: ${light}`, `light dark: ${dark}`],
      ...[`dark auto: ${dark}`, `dark light: ${light}`, `dark dark: ${dark}`],
    ])
  })

  test('why a message did not arrive is found from Ctrl-K to the sentence, by keys alone', async () => {
    const id = world.demo.orders[45]!
    await world.inTab({}, async ({ page, go }) => {
      await go('overview')
      await page.keyboard.press('Control+k')
      await page.keyboard.type('Orders')
      await page.keyboard.press('Enter')
      await page.waitForURL(/#\/topic\/Orders/)
      await page.keyboard.press('Control+k')
      await page.keyboard.type(id)
      await page.keyboard.press('Enter')
      await page.waitForURL(new RegExp(`#/message/${id}`))
      const fate = page.locator('.fates li', { hasText: 'stock' })
      await fate.getByText('waits: offline').waitFor()
      assert.match((await fate.textContent()) ?? '', /no member is online.*start a consumer/s)
    })
  })

  test('Ctrl-K has its field ready for the very next key', async () => {
    await world.inTab({}, async ({ page, go }) => {
      await go('overview')
      const focused = await page.evaluate(async () => {
        dispatchEvent(new KeyboardEvent('keydown', { key: 'k', ctrlKey: true }))
        // The next key is a task of its own.
        await new Promise<void>(resolve => {
          const { port1, port2 } = new MessageChannel()
          port1.onmessage = () => resolve()
          port2.postMessage(0)
        })
        return document.activeElement?.getAttribute('role')
      })
      assert.equal(focused, 'combobox')
    })
  })

  test('Enter in Ctrl-K goes by what stands in the field, drawn or not', async () => {
    const id = world.demo.orders[45]!
    await world.inTab({}, async ({ page, go }) => {
      await go('overview')
      await page.keyboard.press('Control+k')
      await page.locator('#hits [role=option]', { hasText: 'Orders' }).first().waitFor()
      await page.evaluate(typed => {
        const field = document.querySelector<HTMLInputElement>('.palette input')!
        field.value = typed
        field.dispatchEvent(new InputEvent('input', { bubbles: true }))
        field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }))
      }, id)
      await page.waitForURL(new RegExp(`#/message/${id}`))
    })
  })

  test('what is typed into Ctrl-K before the names have come is gone to when they have come', async () => {
    await world.inTab({}, async ({ page, go }) => {
      await go('brokers')
      let release = () => {}
      const held = new Promise<void>(resolve => {
        release = resolve
      })
      await page.route('**/api/names*', async route => {
        await held
        await route.continue()
      })
      await page.keyboard.press('Control+k')
      await page.keyboard.type('Payments')
      await page.keyboard.press('Enter')
      release()
      await page.waitForURL(/#\/topic\/Payments/)
      await page.keyboard.press('Control+k')
      await page.keyboard.type('no such thing')
      await page.getByRole('dialog').getByText(en.nothing).waitFor()
    })
  })

  test('the slowest group is moved to yesterday and back: preview, name, reset, history, undo', async () => {
    const session = connect({ namesrvAddr: world.demo.namesrvAddr })
    const lag = async () => (await groupProgress(session, 'stock', 'Orders')).diffTotal
    const before = await lag()
    await world.inTab({}, async ({ page, go }) => {
      await go('groups')
      await page.locator('.table .space .row').first().getByRole('link').first().click()
      await page.waitForURL(/#\/group\/stock/)
      await page.getByRole('button', { name: 'Reset offsets' }).click()
      const form = page.getByRole('dialog')
      await form.getByRole('button', { name: 'Preview' }).click()
      await form.getByText('30 messages will be consumed again, 0 never.').waitFor()
      assert.ok(await form.getByRole('button', { name: 'Reset now' }).isDisabled())
      assert.match(
        (await form.locator('code').first().textContent()) ?? '',
        // With its zone: whoever runs it elsewhere means the same moment. The browser is in Berlin.
        /^skua offsets reset stock --topic Orders --to \d{4}-\d\d-\d\dT09:00:00\+0[12]:00 /,
      )
      await form.getByLabel('Type stock to confirm').fill('stock')
      await form.getByRole('button', { name: 'Reset now' }).click()
      await form.getByText(en.resetCommitted).waitFor()
      assert.equal(await lag(), 60)
      await form.getByRole('button', { name: 'Close' }).last().click()
      await page.getByRole('tab', { name: 'History' }).click()
      await page.getByRole('button', { name: 'Undo the last move' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Undo', exact: true }).click()
      await page.getByRole('dialog').waitFor({ state: 'detached' })
    })
    assert.equal(await lag(), before)
    await session.close()
  })

  test('the command of a reset by single queues names those that were changed, and no other is moved', async () => {
    await world.inTab({}, async ({ page, go }) => {
      await go('group/stock')
      await page.getByRole('button', { name: 'Reset offsets' }).click()
      const form = page.getByRole('dialog')
      await form.getByLabel(en.goTo).selectOption('queues')
      await form.getByLabel('broker-a/2').fill('3')
      assert.match(
        (await form.locator('code').first().textContent()) ?? '',
        /^skua offsets reset stock --topic Orders --queue broker-a\/2=3 -n /,
      )
      await form.getByRole('button', { name: 'Preview' }).click()
      await form.getByText(/will be consumed again/).waitFor()
      assert.equal(await form.locator('table tbody tr, .table .space .row').count(), 1)
    })
  })

  test('a topic is downloaded as a file with its end; a cut body says how much is cut; the list of changes where it is', async () => {
    const session = connect({ namesrvAddr: world.demo.namesrvAddr })
    await putTopic(session, { clusterName: 'DefaultCluster' }, { topic: 'Long', readQueueNums: 1, writeQueueNums: 1 })
    await sendMessage(session, { topic: 'Long', body: Buffer.from('x'.repeat(200 + 3 * 1024 * 1024)) })
    await session.close()
    await world.inTab({}, async ({ page, go }) => {
      await go('topic/Long')
      await page.getByText('+3 MiB', { exact: true }).waitFor()
      const [saved] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('link', { name: en.download }).click(),
      ])
      assert.equal(saved.suggestedFilename(), 'Long.jsonl')
      const lines = readFileSync(await saved.path(), 'utf8')
        .trim()
        .split('\n')
      const [message, last] = lines.map(line => JSON.parse(line))
      assert.deepEqual([message.body.content.length, message.body.isCut], [200 + 3 * 1024 * 1024, false])
      assert.equal(last.end.reason, 'all')
      await go('changes')
      await page.getByText(en.changesInMemory).waitFor()
    })
  })

  test('at 400 px the lag is seen without scrolling, and at 1280 px no table of the overview is cut off', async () => {
    await world.inTab({ width: 400 }, async ({ page, go }) => {
      for (const hash of ['groups', 'group/stock']) {
        await go(hash)
        const box = await page.getByRole('columnheader', { name: 'Lag' }).boundingBox()
        assert.ok(box !== null && box.x + box.width <= 390, `${hash}: ${JSON.stringify(box)}`)
      }
    })
    await world.inTab({}, async ({ page, go }) => {
      await go('overview')
      const hidden = () =>
        page
          .locator('.table')
          .first()
          .evaluate(box => box.scrollWidth - box.clientWidth)
      assert.ok((await hidden()) <= 0, `${await hidden()} px of the brokers are out of sight`)
    })
  })

  test('on the days of two clocks yesterday nine is nine; an offset that is not filled in is not the first one', async () => {
    await world.inTab({}, async ({ page, go }) => {
      // The clocks of Berlin go back in the night before: from nine to nine there are 25 hours.
      await page.clock.setFixedTime(new Date('2026-10-25T23:30:00+01:00'))
      await go('group/stock')
      await page.getByRole('button', { name: 'Reset offsets' }).click()
      const form = page.getByRole('dialog')
      assert.match(await form.locator('input[type=datetime-local]').inputValue(), /^2026-10-24T09:00/)
      await form.getByLabel('Go on at').selectOption('queues')
      await form.getByLabel('broker-a/0').fill('')
      await form.getByRole('button', { name: 'Preview' }).click()
      assert.ok(await form.getByLabel('broker-a/0').evaluate(input => input.matches(':invalid')))
      assert.equal(await form.getByText('consumed again').count(), 0)
    })
  })

  test('the legend of a chart is Chinese as well', async () => {
    await world.inTab({ language: 'zh' }, async ({ page, go }) => {
      await go('overview')
      const legend = page.locator('.chart .u-legend').first()
      await legend.waitFor()
      assert.doesNotMatch((await legend.textContent()) ?? '', /[A-Za-z]{2}/)
    })
  })

  test('hostile texts in every answer run nothing, and become no element', async () => {
    await world.inTab({}, async ({ page, go }) => {
      await makeHostile(page, hostileTexts)
      for (const hash of world.once()) {
        await go(hash)
        assert.deepEqual(await damage(page), unharmed, hash)
        if (hash === 'topics') assert.match((await page.locator('main').textContent()) ?? '', /__ran/)
      }
    })
  })

  test('a tab in the background asks for nothing, and asks at once when it is seen again', async () => {
    await world.inTab({}, async ({ page, go }) => {
      await page.clock.install()
      await go('overview')
      const show = (state: string) =>
        page.evaluate(value => {
          Object.defineProperty(document, 'visibilityState', { value, configurable: true })
          document.dispatchEvent(new Event('visibilitychange'))
        }, state)
      const asked: string[] = []
      page.on('request', request => asked.push(request.url()))
      await page.clock.fastForward(5_000)
      assert.ok(asked.length > 0)
      await show('hidden')
      await page.clock.fastForward(5_000)
      asked.length = 0
      for (let i = 0; i < 10; i++) await page.clock.fastForward(60_000)
      assert.deepEqual(asked, [])
      await Promise.all([page.waitForRequest(/api\/overview/), show('visible')])
    })
  })
})
