import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

/** Where jars, classes and binaries are kept between runs; outside of the repository. */
export const cacheDir = process.env['SKUA_INTEROP_CACHE'] ?? join(tmpdir(), 'skua-interop')

const commandsOf = { java: ['java', 'javac', 'mvn'], go: ['go'], python: ['python3'], rust: ['cargo'] } as const
export type Toolchain = keyof typeof commandsOf

const onPath = (command: string): boolean => {
  try {
    execFileSync('which', [command], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** A reason to skip, or false. SKUA_REQUIRE=java,go makes a missing toolchain a failure instead. */
export function skipWithout(toolchain: Toolchain): string | false {
  const missing = commandsOf[toolchain].filter(command => !onPath(command))
  if (missing.length === 0) return false
  const reason = `${toolchain} is not on the PATH (${missing.join(', ')})`
  if ((process.env['SKUA_REQUIRE'] ?? '').split(',').includes(toolchain)) throw new Error(`SKUA_REQUIRE: ${reason}`)
  return reason
}

const run = promisify(execFile)
const lockPatienceMs = 600_000
const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

/**
 * Makes something in the cache once, although several test processes want it at the same time. `make` fills the folder;
 * its success is marked, so that a broken download is tried again.
 */
export async function cached(name: string, make: (dir: string) => Promise<void>): Promise<string> {
  const dir = join(cacheDir, name)
  const done = join(dir, '.complete')
  const lock = `${dir}.lock`
  const until = Date.now() + lockPatienceMs
  mkdirSync(dirname(dir), { recursive: true })
  while (!existsSync(done)) {
    try {
      mkdirSync(lock)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      // Whoever held it may be gone, or just ready.
      const sinceMs = statSync(lock, { throwIfNoEntry: false })?.mtimeMs
      if (sinceMs !== undefined && Date.now() - sinceMs > lockPatienceMs) rmSync(lock, { recursive: true, force: true })
      if (Date.now() > until) throw new Error(`nobody finished ${dir}`)
      await sleep(200)
      continue
    }
    try {
      if (existsSync(done)) break
      mkdirSync(dir, { recursive: true })
      await retry(() => make(dir))
      writeFileSync(done, '')
    } finally {
      rmSync(lock, { recursive: true, force: true })
    }
  }
  return dir
}

/** Registries fail now and then; three tries, then it is a failure of the test. */
async function retry(make: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await make()
      return
    } catch (error) {
      if (attempt === 3) throw error
      await sleep(2000 * attempt)
    }
  }
}

/** Runs a command to its end; its failure tells what it printed (Maven and javac tell it in different streams). */
export async function command(
  file: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  try {
    const limits = { maxBuffer: 64 * 1024 * 1024, timeout: lockPatienceMs }
    return (await run(file, [...args], { ...limits, ...options })).stdout
  } catch (cause) {
    const { stdout = '', stderr = '' } = cause as { stdout?: string; stderr?: string }
    throw new Error(`${file} ${args[0] ?? ''} failed: ${(stdout + stderr).slice(-3000)}`, { cause })
  }
}
