import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nameAsCalled } from '../src/command/name-as-called.ts'
import { ServerProcess } from './server-process.ts'

test('lines that are to be copied name the command as it was called', () => {
  for (const [script, name] of [
    ['/home/me/skua/packages/skua/dist/bundle/main.js', 'bin/skua'],
    ['C:\\me\\skua\\packages\\skua\\dist\\bundle\\main.js', 'bin/skua'],
    ['/home/me/shop/node_modules/.bin/skua', 'npx skua'],
    ['/home/me/shop/node_modules/skua/dist/skua/bundle/main.js', 'npx skua'],
    ['/usr/bin/skua', 'skua'],
    [undefined, 'skua'],
  ] as const)
    assert.equal(nameAsCalled(script), name)
})

test('a command that there is not is told, with the nearest', async () => {
  for (const [word, said] of [
    ['lga', /^skua: there is no command lga; did you mean lag\? skua help lists all\n$/],
    ['frobnicate', /^skua: there is no command frobnicate: skua help lists all\n$/],
  ] as const) {
    const skua = ServerProcess.skua([word])
    assert.equal(await skua.exit(), 1)
    assert.match(skua.errors, said)
  }
})
