// Puts the test files into JavaScript that shares its chunks: reading TypeScript by a loader costs each of 270 processes
// a second, which was a third of what all tests took. Each file keeps its process, but for those that touch nothing outside of
// themselves: of these some share one.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build, stop } from 'esbuild'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const home = join(root, 'node_modules', '.tests')
/** Of this run: several may go on at once. */
const own = join(home, String(process.pid))

const ofRepository = /^(@skua-mq\/|skua$)/

/** A file that asks where it is learns where its source is: fixtures and programs lie there. */
const placed = {
  name: 'placed',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
      kind === 'entry-point' || ofRepository.test(path) ? undefined : { path, external: true },
    )
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8')
      const url = JSON.stringify(pathToFileURL(path).href)
      const contents = text
        .replaceAll('import.meta.url', url)
        .replaceAll('import.meta.dirname', JSON.stringify(dirname(path)))
        .replaceAll(
          'import.meta.resolve(',
          `(name => (name[0] === '.' ? new URL(name, ${url}).href : import.meta.resolve(name)))(`,
        )
      return { contents, loader: 'ts' }
    })
  },
}

/** What runs left behind that were killed. */
function sweep() {
  for (const name of existsSync(home) ? readdirSync(home) : []) {
    try {
      process.kill(Number(name), 0)
    } catch {
      rmSync(join(home, name), { recursive: true, force: true })
    }
  }
}

/** Bundles them; returns the paths of what is to be run, in their order. They are removed when this process ends. */
export async function bundleTests(files) {
  sweep()
  process.once('exit', () => rmSync(own, { recursive: true, force: true }))
  await build({
    entryPoints: files.map(file => join(root, relative(root, file))),
    outbase: root,
    outdir: own,
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    conditions: ['skua-source'],
    sourcemap: true,
    logLevel: 'warning',
    plugins: [placed],
  })
  await stop()
  const madeOf = file => join(own, relative(root, file).replace(/\.ts$/, '.js'))
  const pure = new Set(files.filter(file => isPure(join(root, relative(root, file)))))
  return [...files.filter(file => !pure.has(file)).map(madeOf), ...groups([...pure].map(madeOf))]
}

/** Real sockets, files, processes and clocks, and what a process has once. */
const ofMachine =
  /node:(fs|net|child_process|http|https|http2|tls|os|worker_threads|v8|vm|readline)\b|\b(nodeRuntime|NodeDisk|NodeNet|NodeClock|NodeTurn|NodeProcessFacts|startStandalone)\b|\bprocess\.|memoryUsage|\bgc\(|performance\.now/
/** Those that take long share with nobody. */
const long = /(crash|histor|model|kill|story|properties|fuzz|figures)[^/]*$/
const groupSize = 8

/** Whether a test runs on simulated machines only, its helpers included: then a process costs more than most such files. */
function isPure(path, seen = new Set()) {
  if (seen.size === 0 && (!/\/packages\/[^/]+\/test\//.test(path) || long.test(path))) return false
  seen.add(path)
  const text = readFileSync(path, 'utf8')
  if (ofMachine.test(text)) return false
  return [...text.matchAll(/from '(\.[^']*\/?[^']+\.ts)'/g)]
    .map(([, name]) => join(dirname(path), name))
    .filter(helper => helper.includes('/test/') && !seen.has(helper))
    .every(helper => isPure(helper, seen))
}

/** Files that import some others each, one after another. */
function groups(files) {
  const entries = []
  for (let at = 0; at < files.length; at += groupSize) {
    const entry = join(own, `pure-tests-${entries.length + 1}.js`)
    const members = files.slice(at, at + groupSize)
    writeFileSync(entry, members.map(file => `import ${JSON.stringify(`./${relative(own, file)}`)}\n`).join(''))
    entries.push(entry)
  }
  return entries
}
