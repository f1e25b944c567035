import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../reference/free-ports.ts'
import type { ReferenceVersion } from '../reference/jars.ts'
import { ServerProcess } from '../reference/server-process.ts'
import { recordedDir } from './record.ts'

export interface Dashboard {
  /** The body of an answer: `status` 0 and `data`, or why not. */
  get(path: string): Promise<unknown>
  post(path: string, body: unknown): Promise<unknown>
  stop(): Promise<void>
}

/** It believes whoever has the same token in a cookie and in a header. */
const token = { cookie: 'XSRF-TOKEN=skua', 'x-xsrf-token': 'skua' }

export async function startDashboard(jar: string, namesrvAddr: string): Promise<Dashboard> {
  const home = mkdtempSync(join(tmpdir(), 'skua-dashboard-'))
  const port = await freePort()
  const process = new ServerProcess(
    [
      ...['-Xms64m', '-Xmx512m', '-XX:TieredStopAtLevel=1', `-Duser.home=${home}`, '-jar', jar],
      ...[`--server.port=${port}`, `--rocketmq.config.dataPath=${home}`],
      `--rocketmq.config.namesrvAddrs[0]=${namesrvAddr}`,
      '--rocketmq.config.isVIPChannel=false',
    ],
    { home, log: join(home, 'dashboard.out') },
  )
  const call = async (path: string, init: RequestInit = {}): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { ...init, signal: AbortSignal.timeout(30_000) })
    const text = await response.text()
    try {
      return JSON.parse(text)
    } catch {
      return { httpStatus: response.status }
    }
  }
  await process.until(async () => (await call('/cluster/list.query')) !== undefined, 'the dashboard answers', 120_000)
  return {
    get: path => call(path),
    post: (path, body) =>
      call(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...token },
        body: JSON.stringify(body),
      }),
    async stop() {
      await process.stop('SIGKILL')
      rmSync(home, { recursive: true, force: true })
    },
  }
}

/** The shape of each call's answer, by its path. */
export type Shapes = Readonly<Record<string, unknown>>

const fileOf = (server: ReferenceVersion) => join(recordedDir, `dashboard-at-${server}.json`)

export const readDashboard = (server: ReferenceVersion): Shapes => JSON.parse(readFileSync(fileOf(server), 'utf8'))
export const writeDashboard = (server: ReferenceVersion, shapes: Shapes): void =>
  writeFileSync(fileOf(server), `${JSON.stringify(shapes, undefined, 2)}\n`)
