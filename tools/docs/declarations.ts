import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** Something that a package exports: how it is declared, without its private members, and what is said about it. */
export interface Declaration {
  readonly name: string
  readonly kind: 'class' | 'interface' | 'type' | 'function' | 'const'
  /** Plain text; empty where nothing is said. */
  readonly doc: string
  /** TypeScript; overloads stand below each other. */
  readonly text: string
}

const kinds = /^export (?:declare )?(class|interface|type|function|const) (\w+)/

/** What the compiler says that a package of ours exports, by name. Takes about a second. */
export function publicDeclarations(packageName: string): Declaration[] {
  const out = mkdtempSync(join(tmpdir(), 'skua-docs-'))
  try {
    emit(packageName, out)
    return new ExportReader(out).of(join(out, packageName, 'src', 'index.d.ts'))
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
}

function emit(packageName: string, out: string): void {
  const compilerOptions = {
    ...{ noEmit: false, emitDeclarationOnly: true, declaration: true, sourceMap: false, noCheck: true },
    ...{ rootDir: join(root, 'packages'), outDir: out, typeRoots: [join(root, 'node_modules', '@types')] },
  }
  const config = join(out, 'tsconfig.json')
  // What the compiler finds through node_modules first is emitted only when it is named, and which way is first is up to chance.
  const files = [packageName, 'protocol'].flatMap(name => {
    const src = join(root, 'packages', name, 'src')
    const names = readdirSync(src, { recursive: true, encoding: 'utf8' })
    return names.filter(file => file.endsWith('.ts')).map(file => join(src, file))
  })
  writeFileSync(
    config,
    JSON.stringify({ extends: join(root, 'tsconfig.check.json'), compilerOptions, files, include: [] }),
  )
  execFileSync(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', config])
}

/** Follows `export … from` through emitted declarations. */
class ExportReader {
  private readonly out: string

  constructor(out: string) {
    this.out = out
  }

  of(file: string): Declaration[] {
    const text = readFileSync(file, 'utf8')
    const found = declarationsIn(text)
    for (const [, star, names, from] of text.matchAll(/^export (?:type )?(?:(\*)|\{([^}]*)\}) from '([^']+)';/gm)) {
      const there = this.of(this.resolve(file, from ?? ''))
      const wanted = (names ?? '').split(',').map(name => name.trim().replace(/^type /, ''))
      found.push(...there.filter(({ name }) => star !== undefined || wanted.includes(name)))
    }
    return found.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  private resolve(file: string, from: string): string {
    const own = /^@skua-mq\/(.*)$/.exec(from)
    if (own !== null) return join(this.out, own[1] ?? '', 'src', 'index.d.ts')
    return join(dirname(file), from.replace(/\.ts$/, '.d.ts'))
  }
}

/** The exported declarations of one emitted file; overloads of a function are one. */
export function declarationsIn(text: string): Declaration[] {
  const found = new Map<string, Declaration>()
  const lines = text.split('\n')
  for (let at = 0; at < lines.length; at++) {
    const [, kind, name] = kinds.exec(lines[at] ?? '') ?? []
    if (kind === undefined || name === undefined) continue
    const end = endOf(lines, at)
    const doc = docAbove(lines, at)
    const declared = withoutPrivate(lines.slice(at, end))
      .join('\n')
      .replace(/^export (declare )?/, '')
    const earlier = found.get(name)
    found.set(name, {
      ...{ name, kind: kind as Declaration['kind'], doc: [earlier?.doc, doc].filter(Boolean).join('\n') },
      text: earlier === undefined ? declared : `${earlier.text}\n${declared}`,
    })
    at = end - 1
  }
  return [...found.values()]
}

/** The line behind a declaration: where its brackets are closed and a statement ends. Comments are not counted. */
function endOf(lines: readonly string[], start: number): number {
  let depth = 0
  let inComment = false
  for (let at = start; at < lines.length; at++) {
    const line = lines[at] ?? ''
    if (/^\s*\/\*\*/.test(line)) inComment = true
    if (!inComment) {
      depth += line.replaceAll('=>', '').match(/[[{(]/g)?.length ?? 0
      depth -= line.replaceAll('=>', '').match(/[\]})]/g)?.length ?? 0
      if (depth === 0 && /[;}]$/.test(line)) return at + 1
    }
    if (line.includes('*/')) inComment = false
  }
  return lines.length
}

function docAbove(lines: readonly string[], at: number): string {
  if (!(lines[at - 1] ?? '').endsWith('*/')) return ''
  let start = at - 1
  while (start > 0 && !(lines[start] ?? '').includes('/**')) start--
  return lines
    .slice(start, at)
    .map(line => line.replace(/^\s*(\/\*\*|\*\/|\*)?\s?/, '').replace(/\s*\*\/$/, ''))
    .join('\n')
    .trim()
}

/** Private members of a class, with what is said about them, are left out. */
function withoutPrivate(lines: readonly string[]): string[] {
  const kept: string[] = []
  for (const line of lines) {
    if (!/^ {4}private\b/.test(line)) {
      kept.push(line)
      continue
    }
    if (!(kept.at(-1) ?? '').endsWith('*/')) continue
    while (!(kept.at(-1) ?? '').includes('/**')) kept.pop()
    kept.pop()
  }
  return kept
}
