import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import type { Disk } from '@skua-mq/runtime'
import type { PageFiles } from '../options.ts'

/** A file of the page, ready to be sent. */
export interface PageFile {
  readonly type: string
  readonly bytes: Uint8Array
  readonly zipped: Uint8Array
  readonly tag: string
}

export type Page = ReadonlyMap<string, PageFile>

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
}

/** Files that are given, or those that were built: beside the bundle of the command, or below dist/ of this package. */
export function loadPage(disk: Disk, given: PageFiles | undefined): Page {
  const files = given ?? builtFiles(disk)
  const page = [...files].map(([name, bytes]): [string, PageFile] => {
    const type = types[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream'
    const tag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`
    return [name, { type, bytes, zipped: gzipSync(bytes, { level: 9 }), tag }]
  })
  return new Map(page)
}

function builtFiles(disk: Disk): PageFiles {
  const places = ['./page/', '../page/', '../../dist/page/', '../dist/page/']
  const folders = places.map(place => fileURLToPath(new URL(place, import.meta.url)))
  const folder = folders.find(path => disk.stat(`${path}app.js`) !== undefined)
  if (folder === undefined) throw new Error('the page of the dashboard is not built: npm run build makes it')
  return new Map(['index.html', 'app.js', 'app.css', 'icon.svg'].map(name => [name, disk.readFile(folder + name)]))
}
