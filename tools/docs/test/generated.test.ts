import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { generatedPages } from '../pages.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')

for (const [path, page] of Object.entries(generatedPages)) {
  test(`${path} is what the tables say (npm run docs writes it)`, () => {
    assert.equal(readFileSync(join(root, path), 'utf8'), page())
  })
}
