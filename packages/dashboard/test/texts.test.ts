import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { transform } from 'esbuild'
import { en } from '../page/text/en.ts'
import { zh } from '../page/text/zh.ts'
import { buildPage } from './page.ts'

const home = join(dirname(fileURLToPath(import.meta.url)), '..', 'page')
const sources = readdirSync(home, { recursive: true, encoding: 'utf8' }).filter(
  name => /\.tsx?$/.test(name) && !name.startsWith('text/'),
)
const read = (name: string) => readFileSync(join(home, name), 'utf8')

test('both languages have the same texts, with the same values in them, and none is empty', () => {
  assert.deepEqual(Object.keys(zh), Object.keys(en))
  const values = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([name]) => name).sort()
  for (const [key, text] of Object.entries<string>(en)) {
    const other = zh[key as keyof typeof en]
    assert.ok(text !== '' && other !== '', key)
    assert.deepEqual(values(other), values(text), key)
  }
})

test('most of the Chinese is Chinese', () => {
  const latin = Object.entries(zh).filter(([, text]) => !/\p{Script=Han}/u.test(text))
  const allowed = 'brand findKeys broker brokers nameServers key keys tag view_json otherLanguage'
  assert.deepEqual(
    latin.map(([key]) => key).filter(key => !allowed.split(' ').includes(key)),
    [],
  )
})

test('every text is used, and every text that is used is there', () => {
  const all = sources.map(read).join('\n')
  const prefixes = [...all.matchAll(/`(\w+_)\$\{/g)].map(([, prefix]) => prefix!)
  const unused = Object.keys(en).filter(
    key =>
      !new RegExp(`'${key}'`).test(all) &&
      !prefixes.some(prefix => key.startsWith(prefix)) &&
      !new RegExp(`name: '${key}'`).test(all),
  )
  assert.deepEqual(unused, [])
})

/** Texts that a component holds itself: what stands between tags, and what is told to those who do not see. */
async function literalsOf(name: string): Promise<string[]> {
  const { code } = await transform(read(name), {
    loader: 'tsx',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    charset: 'utf8',
  })
  const children = [...code.matchAll(/\bchildren: ("(?:[^"\\]|\\.)*")/g)].map(([, text]) => JSON.parse(text!) as string)
  const lists = [...code.matchAll(/\bchildren: \[([\s\S]*?)\n\s*\]/g)].flatMap(([, list]) =>
    [...list!.matchAll(/(?<!jsxs?\(\n\s*)(?<=\n\s*)("(?:[^"\\]|\\.)*"),?$/gm)].map(
      ([, text]) => JSON.parse(text!) as string,
    ),
  )
  const attributes = [...code.matchAll(/\b(?:title|placeholder|"aria-label"|alt|label): ("(?:[^"\\]|\\.)*")/g)].map(
    ([, text]) => JSON.parse(text!) as string,
  )
  return [...children, ...lists, ...attributes].filter(text => /\p{L}{2,}/u.test(text))
}

test('no component holds a text of its own: all come from the dictionaries', async () => {
  const wrong: string[] = []
  // The table of pages names the keys of their titles.
  for (const name of sources.filter(one => one.endsWith('.tsx') && one !== 'pages.tsx'))
    for (const text of await literalsOf(name)) wrong.push(`${name}: ${text}`)
  // An example of RocketMQ's own filter language, the same in any.
  assert.deepEqual(
    wrong.filter(one => !one.endsWith('price > 10')),
    [],
  )
})

test('the page is at most 150 kB for the network in all, comes from nowhere else, and its files are small', async () => {
  const files = await buildPage()
  const bytes = [...files.values()].reduce((sum, one) => sum + gzipSync(one, { level: 9 }).length, 0)
  assert.ok(bytes <= 150_000, `${bytes} bytes`)
  for (const [name, content] of files) {
    const text = Buffer.from(content).toString('utf8')
    const addresses = [...text.matchAll(/\bhttps?:\/\/[^\s"'`)]+/g)].map(([address]) => address)
    assert.deepEqual(
      addresses.filter(address => !address.startsWith('http://www.w3.org/')),
      [],
      name,
    )
    if (name.endsWith('.html')) assert.doesNotMatch(text, /<script(?![^>]*\bsrc=)|\bon\w+=|<style|style=/)
  }
  for (const name of sources) assert.ok(read(name).split('\n').length <= 501, `${relative(home, name)} is too long`)
})
