import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The built command: beside this file in the bundle, or below dist/ for those who embed a broker. */
export function commandPath(): string {
  const places = ['./main.js', './bundle/main.js', '../dist/bundle/main.js']
  const paths = places.map(place => fileURLToPath(new URL(place, import.meta.url)))
  const found = paths.filter(path => path.includes('bundle')).find(path => existsSync(path))
  if (found === undefined) throw new Error(`the command is not built: ${paths.at(-1)} is missing`)
  return found
}
