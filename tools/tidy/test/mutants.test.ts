import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')

interface Mutant {
  readonly name: string
  readonly file: string
  readonly from: string
  readonly to: string
  readonly tests?: readonly string[]
}

const list = pathToFileURL(join(root, 'tools', 'mutants', 'mutants.mjs')).href
const { mutants } = (await import(list)) as { mutants: readonly Mutant[] }

test('every mutant still breaks the code as it is: its text stands in its file once', () => {
  const stale = mutants.filter(({ file, from, to }) => {
    const source = existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : ''
    return source.split(from).length !== 2 || from === to
  })
  assert.deepEqual(
    stale.map(({ name, file }) => `${file}: ${name}`),
    [],
  )
})

test('mutants have names of their own, and the tests that they name are there', () => {
  const names = mutants.map(({ name, file }) => `${file}: ${name}`)
  assert.deepEqual(
    names.filter((name, i) => names.indexOf(name) !== i),
    [],
  )
  assert.deepEqual(
    mutants.flatMap(({ tests = [] }) => tests).filter(path => !existsSync(join(root, path))),
    [],
  )
  assert.ok(mutants.length >= 250, `${mutants.length}`)
})
