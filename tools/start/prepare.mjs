// Installs and builds what is missing, and only then: looks at times of files, which costs a few milliseconds.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

const bundle = join(root, 'packages', 'skua', 'dist', 'bundle', 'main.js')

function run(command, args) {
  // Output goes to standard error: what a server prints on standard output is read by scripts.
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] })
  if (status !== 0) {
    process.stderr.write(`skua: ${command} ${args.join(' ')} failed${error ? `: ${error.message}` : ''}\n`)
    process.exit(1)
  }
}

function newest(dir) {
  let at = 0
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name)
    at = Math.max(at, entry.isDirectory() ? newest(path) : statSync(path).mtimeMs)
  }
  return at
}

function stale() {
  for (const name of readdirSync(join(root, 'packages'))) {
    const page = join(root, 'packages', name, 'page')
    if (existsSync(page) && existsSync(bundle) && newest(page) > statSync(bundle).mtimeMs) return true
    const stamp = join(root, 'packages', name, 'dist', '.tsbuildinfo')
    if (!existsSync(stamp) || statSync(stamp).mtimeMs < newest(join(root, 'packages', name, 'src'))) return true
  }
  return false
}

export function prepare() {
  if (!existsSync(join(root, 'node_modules', 'typescript')))
    run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'])
  if (!stale() && existsSync(bundle)) return
  run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b'])
  run(process.execPath, [join(root, 'tools', 'start', 'bundle.mjs')])
}

if (process.argv[1] === fileURLToPath(import.meta.url)) prepare()
