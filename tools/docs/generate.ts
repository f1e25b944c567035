import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generatedPages } from './pages.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
for (const [path, page] of Object.entries(generatedPages)) writeFileSync(join(root, path), page())
