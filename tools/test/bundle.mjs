// Puts the test files into JavaScript that shares its chunks: reading TypeScript by a loader costs each of 270 processes
// a second, which was a third of what all tests took. Each file keeps its process.
import { existsSync, readdirSync, rmSync } from 'node:fs'
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
  return files.map(file => join(own, relative(root, file).replace(/\.ts$/, '.js')))
}
