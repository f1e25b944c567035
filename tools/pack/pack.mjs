// npm run pack [-- FOLDER]: the packages as they are published, a tarball each in FOLDER (default: out). Build first.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { houseOf, houses } from './houses.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const packages = join(root, 'packages')
const out = resolve(process.argv[2] ?? join(root, 'out'))
const describing = room => JSON.parse(readFileSync(join(packages, room, 'package.json'), 'utf8'))
/** `@skua-mq/store` is the room store. */
const roomNamed = name => (name === 'skua' ? 'skua' : /^@skua-mq\/([a-z-]+)$/.exec(name)?.[1])
/** `from 'x'`, `import('x')`, `import 'x'`, and the same with double quotes in declarations. */
const imports = /(\bfrom\s+|\bimport\s*\(\s*|\bimport\s+)(['"])(@skua-mq\/[a-z-]+|skua)\2/g

/** What an import of a room is called from a file of a house. */
function specifier(house, file, room) {
  const owner = houseOf(room)
  if (owner === undefined) throw new Error(`room ${room} is in no house`)
  if (owner !== house) return owner.main === room ? owner.name : `${owner.name}/_/${room}`
  const path = relative(dirname(file), join(room, 'index.js')).replaceAll('\\', '/')
  return path.startsWith('.') ? path : `./${path}`
}

/** Copies the built files of a room, and points their imports to where the rooms lie. Returns the houses that they need. */
function furnish(house, room, dist) {
  const needed = new Set()
  const from = join(packages, room, 'dist')
  cpSync(from, join(dist, room), { recursive: true, filter: path => !/(\.map|\.tsbuildinfo)$/.test(path) })
  for (const name of readdirSync(join(dist, room), { recursive: true })) {
    // What is bundled imports no room.
    if (!/\.(js|d\.ts)$/.test(name) || /^(bundle|page)[\\/]/.test(name)) continue
    const path = join(dist, room, name)
    const text = readFileSync(path, 'utf8')
    const changed = text
      .replace(imports, (_all, before, quote, imported) => {
        const target = roomNamed(imported)
        const owner = houseOf(target)
        if (owner !== undefined && owner !== house) needed.add(owner.name)
        return `${before}${quote}${specifier(house, join(room, name), target)}${quote}`
      })
      .replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n')
    if (changed !== text) writeFileSync(path, changed)
  }
  return needed
}

function build(house) {
  const folder = join(out, house.name.replace('/', '-').replace('@', ''))
  const dist = join(folder, 'dist')
  mkdirSync(dist, { recursive: true })
  const { version, description, license, engines, bin, sideEffects } = describing(house.main)
  const dependencies = {}
  for (const room of house.rooms) {
    for (const name of furnish(house, room, dist)) dependencies[name] = version
    for (const [name, range] of Object.entries(describing(room).dependencies ?? {}))
      if (roomNamed(name) === undefined) dependencies[name] = range
  }
  const exported = room => ({ types: `./dist/${room}/index.d.ts`, default: `./dist/${room}/index.js` })
  const others = house.rooms.filter(room => room !== house.main)
  const description_ = {
    ...{ name: house.name, version, description, license, type: 'module', sideEffects, engines },
    exports: {
      '.': exported(house.main),
      // For our own packages: nothing of it is promised.
      ...Object.fromEntries(others.map(room => [`./_/${room}`, exported(room)])),
    },
    // For compilers that do not read `exports`: TypeScript before 6 with `module: commonjs`.
    main: exported(house.main).default,
    types: exported(house.main).types,
    typesVersions: { '*': { '_/*': ['dist/*/index.d.ts'] } },
    files: ['dist', 'README.md', 'LICENSE'],
    dependencies: Object.fromEntries(Object.entries(dependencies).sort(([a], [b]) => (a < b ? -1 : 1))),
    bin:
      bin &&
      Object.fromEntries(
        Object.entries(bin).map(([name, path]) => [name, path.replace('./dist/', `./dist/${house.main}/`)]),
      ),
  }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(description_, null, 2)}\n`)
  for (const name of ['README.md', 'LICENSE']) cpSync(join(packages, house.main, name), join(folder, name))
  return folder
}

const lost = readdirSync(packages).filter(room => houseOf(room) === undefined)
if (lost.length > 0) throw new Error(`in no house of tools/pack/houses.mjs: ${lost.join(', ')}`)
rmSync(out, { recursive: true, force: true })
const folders = houses.map(build)
execFileSync('npm', ['pack', '--silent', '--pack-destination', out, ...folders], {
  cwd: root,
  stdio: ['ignore', 'ignore', 'inherit'],
})
for (const folder of folders) rmSync(folder, { recursive: true })
for (const name of readdirSync(out)) console.log(join(out, name))
