// Puts the built command into few files: Node needs 0.5 ms for each of 300 small ones, which is half the start budget.
import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

import { writePage } from '../../packages/dashboard/page/build.mjs'

const packages = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'packages')
const dist = join(packages, 'skua', 'dist')
// Pieces of former builds would be packed, too.
rmSync(join(dist, 'bundle'), { recursive: true, force: true })
// The page lies beside the code that serves it: that of the package, and that of the bundle.
await writePage([join(packages, 'dashboard', 'dist', 'page'), join(dist, 'bundle', 'page')])
await build({
  // The thread of a filter is looked for beside the code that starts it.
  entryPoints: {
    main: join(dist, 'main.js'),
    'filter-worker': join(packages, 'filter-server', 'dist', 'filter-worker.js'),
  },
  outdir: join(dist, 'bundle'),
  bundle: true,
  splitting: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  sourcemap: true,
  logLevel: 'warning',
  // Finds its WebAssembly beside itself; only the filter server loads it.
  external: ['quickjs-emscripten-core', '@jitl/quickjs-wasmfile-release-sync'],
  // commander is CommonJS inside and requires modules of Node.
  banner: {
    js: "import { createRequire as skuaRequire } from 'node:module'; const require = skuaRequire(import.meta.url);",
  },
})
