// Makes the page: index.html, app.js, app.css, icon.svg. Users get it built; tests build it in memory.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = dirname(fileURLToPath(import.meta.url))
const licences = '/*! With Preact (MIT, Jason Miller) and uPlot (MIT, Leon Sorokin). */'

/** The colours of the dark theme, chosen or by the machine: CSS of our oldest browsers (no `light-dark()`) cannot say both in one rule. */
const darkTwice = {
  name: 'dark-twice',
  setup: ({ onLoad }) =>
    onLoad({ filter: /[\\/]app\.css$/ }, ({ path }) => {
      const css = readFileSync(path, 'utf8')
      const colours = /^:root\[data-theme="dark"\] (\{[^}]*\})/m.exec(css)
      if (colours === null) throw new Error(`${path} has no colours of the dark theme`)
      const [rule, body] = colours
      const ofMachine = `@media (prefers-color-scheme: dark) { :root:not([data-theme="light"]) ${body} }`
      return { contents: css.replace(rule, `${rule}\n${ofMachine}`), loader: 'css' }
    }),
}

/** Its files by their names, as bytes. */
export async function buildPage() {
  const { outputFiles } = await build({
    entryPoints: { app: join(here, 'main.tsx') },
    outdir: here,
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: ['es2022', 'chrome105', 'firefox110', 'safari16'],
    plugins: [darkTwice],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    define: { 'process.env.NODE_ENV': '"production"' },
    banner: { js: licences, css: licences },
    logLevel: 'warning',
  })
  const files = new Map(outputFiles.map(({ path, contents }) => [path.slice(here.length + 1), contents]))
  for (const name of ['index.html', 'icon.svg']) files.set(name, readFileSync(join(here, name)))
  return files
}

/** Writes them into folders. */
export async function writePage(folders) {
  const files = await buildPage()
  for (const folder of folders) {
    mkdirSync(folder, { recursive: true })
    for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writePage(process.argv.slice(2))
