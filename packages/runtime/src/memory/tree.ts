import { posix } from 'node:path'
import { DiskError } from '../error.ts'
import { Pages } from './pages.ts'

export interface FileNode {
  readonly kind: 'file'
  pages: Pages
  modifiedAtMs: number
  /** No name leads here any more; what open files still do to it is not counted. */
  unlinked: boolean
}

export interface DirectoryNode {
  readonly kind: 'directory'
  entries: Map<string, Node>
  modifiedAtMs: number
}

export type Node = FileNode | DirectoryNode

export const newFile = (modifiedAtMs: number): FileNode => ({
  kind: 'file',
  pages: new Pages(),
  modifiedAtMs,
  unlinked: false,
})

export const newDirectory = (modifiedAtMs: number): DirectoryNode => ({
  kind: 'directory',
  entries: new Map(),
  modifiedAtMs,
})

/** A relative path starts at the root: memory has no working directory. */
export function namesOf(path: string): string[] {
  return posix.resolve('/', path).split('/').slice(1).filter(Boolean)
}

/** What is at a path; undefined when there is nothing, or when a file stands where a directory was expected. */
export function lookup(root: DirectoryNode, names: readonly string[]): Node | undefined {
  let node: Node | undefined = root
  for (const name of names) {
    if (node?.kind !== 'directory') return undefined
    node = node.entries.get(name)
  }
  return node
}

/** Where a name is or would be. Errors: ENOENT or ENOTDIR for the way there, EISDIR for the root itself. */
export function placeOf(root: DirectoryNode, path: string): { parent: DirectoryNode; name: string } {
  const names = namesOf(path)
  const name = names.pop()
  if (name === undefined) throw new DiskError('EISDIR', path)
  const parent = lookup(root, names)
  if (parent === undefined) throw new DiskError('ENOENT', path)
  if (parent.kind !== 'directory') throw new DiskError('ENOTDIR', path)
  return { parent, name }
}

export function* filesIn(node: Node): Generator<FileNode> {
  if (node.kind === 'file') yield node
  else for (const child of node.entries.values()) yield* filesIn(child)
}
