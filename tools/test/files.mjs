// Finds the test files of the repository: *.test.ts under packages, tools and examples.
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const skipped = new Set(['node_modules', 'dist', 'fixtures', 'recorded', 'java', 'go', '.git', '.skua'])

export function testFiles(root, suffix = '.test.ts') {
  if (statSync(root).isFile()) return [root]
  const found = []
  for (const entry of readdirSync(root, { withFileTypes: true })) {
    if (skipped.has(entry.name)) continue
    const path = join(root, entry.name)
    if (entry.isDirectory()) found.push(...testFiles(path, suffix))
    else if (entry.name.endsWith(suffix)) found.push(path)
  }
  return found.sort()
}
