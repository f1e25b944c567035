import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { functionsOf } from '../functions.ts'
import {
  fileExceptions,
  fileLimit,
  forbiddenFolders,
  forbiddenText,
  functionExceptions,
  functionLimit,
  machineExceptions,
  packageOrder,
  runtimeOnly,
} from '../rules.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')

function filesUnder(dir: string, suffix: string): string[] {
  if (!existsSync(dir)) return []
  return readdirSync(dir, { withFileTypes: true }).flatMap(entry => {
    if (entry.name === 'node_modules' || entry.name === 'dist' || entry.name === 'fixtures') return []
    const path = join(dir, entry.name)
    if (entry.isDirectory()) return filesUnder(path, suffix)
    return entry.name.endsWith(suffix) ? [path] : []
  })
}

const packages = readdirSync(join(root, 'packages'))
const sources = packages.flatMap(name => filesUnder(join(root, 'packages', name, 'src'), '.ts'))
const shown = (path: string) => relative(root, path)
/** Code without comments and without the text of strings that are not import paths. */
const codeOf = (path: string) =>
  readFileSync(path, 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(^|\s)\/\/.*$/gm, '')

/** `import … from 'x'`, `export … from 'x'`, `import('x')`: never a string that happens to end so. */
const importPattern = /(?:^(?:import|export)\b[^'"]*?\bfrom |^import |\bimport\()'([^'\s]+)'/gm
/** The file of a thread is named, not imported. */
const threadPattern = /import\.meta\.resolve\('(\.[^']+)'\)/g

test('every package stands in the order of arrows', () => {
  assert.deepEqual(
    [...packages].filter(name => !packageOrder.includes(name as never)),
    [],
  )
  assert.ok(sources.length > 50)
})

test('packages import only what they declare, upward, and through the front door', () => {
  const wrong: string[] = []
  for (const path of sources) {
    const own = shown(path).split('/')[1] as (typeof packageOrder)[number]
    const { dependencies, peerDependencies } = JSON.parse(
      readFileSync(join(root, 'packages', own, 'package.json'), 'utf8'),
    )
    const declared = Object.keys({ ...dependencies, ...peerDependencies })
    for (const [, from] of codeOf(path).matchAll(importPattern)) {
      const target = from as string
      if (target.startsWith('.')) {
        if (!target.endsWith('.ts')) wrong.push(`${shown(path)}: ${target} lacks its .ts`)
        if (!join(dirname(path), target).startsWith(join(root, 'packages', own, 'src')))
          wrong.push(`${shown(path)}: ${target} leaves the package`)
        continue
      }
      if (target.startsWith('node:')) continue
      const name = target.startsWith('@') ? target.split('/').slice(0, 2).join('/') : (target.split('/')[0] as string)
      if (!declared.includes(name)) wrong.push(`${shown(path)}: ${name} is not declared`)
      const ours = /^@skua-mq\/(.+)$/.exec(name)?.[1]
      if (ours === undefined) continue
      if (target !== name) wrong.push(`${shown(path)}: ${target} goes past the index`)
      if (packageOrder.indexOf(ours as never) >= packageOrder.indexOf(own))
        wrong.push(`${shown(path)}: ${own} may not import ${ours}`)
    }
  }
  assert.deepEqual(wrong, [])
})

test('clock, disk, net and random come from runtime', () => {
  const wrong: string[] = []
  for (const path of sources) {
    if (shown(path).startsWith('packages/runtime/') || shown(path) in machineExceptions) continue
    const code = codeOf(path)
    for (const { pattern, what } of runtimeOnly) if (pattern.test(code)) wrong.push(`${shown(path)}: ${what}`)
  }
  assert.deepEqual(wrong, [])
})

test('files stay small, and listed exceptions only shrink', () => {
  const wrong: string[] = []
  for (const path of sources) {
    const lines = readFileSync(path, 'utf8').split('\n').length - 1
    const allowed = fileExceptions[shown(path)] ?? fileLimit
    if (lines > allowed) wrong.push(`${shown(path)}: ${lines} lines, ${allowed} allowed`)
  }
  for (const path of Object.keys(fileExceptions))
    assert.ok(existsSync(join(root, path)), `${path} is gone: take it off the list`)
  assert.deepEqual(wrong, [])
})

test('functions stay short, and listed exceptions only shrink', () => {
  const wrong: string[] = []
  const seen = new Set<string>()
  for (const path of sources) {
    for (const { line, lines, name } of functionsOf(readFileSync(path, 'utf8'))) {
      const key = `${shown(path)} ${name}`
      const allowed = functionExceptions[key]
      if (allowed !== undefined && lines > functionLimit) {
        seen.add(key)
        if (lines < allowed) wrong.push(`${key}: ${lines} lines now, so the list may say so`)
      }
      if (lines > (allowed ?? functionLimit)) wrong.push(`${shown(path)}:${line} ${name}: ${lines} lines`)
    }
  }
  for (const key of Object.keys(functionExceptions)) if (!seen.has(key)) wrong.push(`${key}: take it off the list`)
  assert.deepEqual(wrong, [])
})

test('functions are found: plain ones, methods, arrows, callbacks, and those whose heads span lines', () => {
  const source = `
export async function plain<T>(a: T): Promise<T> {
  if (a) {
    return a
  }
  return a
}
class A {
  private method({ a }: { a: number }): void {
    run(() => {
      a
    })
  }
  constructor(
    a: number,
    b: number,
  ) {
    this.a = a
  }
}
const arrow = (a: number) => {
  switch (a) {
  }
}
const table = {
  a: 1,
}
`
  assert.deepEqual(
    functionsOf(source).map(({ line, lines, name }) => [line, lines, name]),
    [
      [2, 6, 'plain'],
      [9, 5, 'method'],
      [10, 3, 'run'],
      [14, 6, 'constructor'],
      [21, 4, 'arrow'],
    ],
  )
})

test('no default exports, enums, catch-all folders or owner classes', () => {
  const wrong: string[] = []
  for (const path of sources) {
    if (forbiddenFolders.test(path)) wrong.push(`${shown(path)}: a folder that says nothing`)
    const code = codeOf(path)
    for (const { pattern, what } of forbiddenText) if (pattern.test(code)) wrong.push(`${shown(path)}: ${what}`)
  }
  assert.deepEqual(wrong, [])
})

test('names of system topics stand once: in protocol/src/topics.ts', () => {
  const literal =
    /['"`](SCHEDULE_TOPIC|RMQ_SYS_|TRANS_CHECK_|SELF_TEST_TOPIC|OFFSET_MOVED|TBW102|BenchmarkTest|rmq_sys_|%RETRY%|%DLQ%|%LMQ%)/
  const wrong: string[] = []
  for (const path of sources) {
    // Defaults of options, written from their table.
    if (shown(path).endsWith('dashboard/src/setting-notes.ts')) continue
    if (shown(path).endsWith('protocol/src/topics.ts') || !shown(path).startsWith('packages')) continue
    const found = literal.exec(codeOf(path))
    if (found !== null) wrong.push(`${shown(path)}: ${found[1]}`)
  }
  assert.deepEqual(wrong, [])
})

test('every source file is reached from its package or a test', () => {
  const wrong: string[] = []
  for (const name of packages) {
    const src = join(root, 'packages', name, 'src')
    const reached = new Set<string>()
    const visit = (path: string) => {
      if (reached.has(path) || !existsSync(path)) return
      reached.add(path)
      for (const pattern of [importPattern, threadPattern])
        for (const [, target] of codeOf(path).matchAll(pattern)) visit(join(dirname(path), target as string))
    }
    visit(join(src, 'index.ts'))
    visit(join(src, 'main.ts'))
    for (const path of filesUnder(src, '.ts')) if (!reached.has(path)) wrong.push(shown(path))
  }
  assert.deepEqual(wrong, [])
})

test('nothing committed names a path of somebody’s machine or a registry host', () => {
  const words = [
    ['/wo', 'rk/'],
    ['/ro', 'ot/'],
    ['registry.', 'npmjs'],
    ['repo1.', 'maven'],
    ['proxy.', 'golang'],
  ].map(parts => parts.join(''))
  const files = ['packages', 'tools', 'docs', 'examples', 'bin'].flatMap(dir =>
    ['.ts', '.mjs', '.md', '.json', '.xml', '.java', '.go', '.sum'].flatMap(suffix =>
      filesUnder(join(root, dir), suffix),
    ),
  )
  const wrong = files.filter(path => {
    const content = readFileSync(path, 'utf8')
    return words.some(word => content.includes(word))
  })
  assert.deepEqual(wrong.map(shown), [])
})

test('each folder of the broker that adds something exports one feature, which stands in the list', () => {
  const src = join(root, 'packages', 'broker', 'src')
  const list = readFileSync(join(src, 'features.ts'), 'utf8')
  const wrong: string[] = []
  for (const path of filesUnder(src, 'feature.ts')) {
    if (path.endsWith('house/feature.ts')) continue
    const names = [...readFileSync(path, 'utf8').matchAll(/^export const (\w+): Feature</gm)].map(([, name]) => name)
    if (names.length !== 1) wrong.push(`${shown(path)}: ${names.length} features`)
    for (const name of names)
      if (!list.includes(`.with(${name})`)) wrong.push(`${shown(path)}: ${name} is not in features.ts`)
  }
  const adding = filesUnder(src, 'routes.ts').map(path => dirname(path))
  for (const folder of new Set(adding))
    if (!existsSync(join(folder, 'feature.ts'))) wrong.push(`${shown(folder)}: routes without a feature`)
  assert.deepEqual(wrong, [])
})
