import { type ChildProcess, spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { askedDialect } from '../src/asked-dialect.ts'

const main = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'packages', 'skua', 'src', 'main.ts')
const readyPatienceMs = 20_000

/** Skua in a process of its own, from source, so that it can be killed; in the dialect that SKUA_DIALECT names. */
export class SkuaProcess {
  private readonly child: ChildProcess
  private readonly gone: Promise<void>

  private constructor(child: ChildProcess) {
    this.child = child
    this.gone = new Promise(resolve => child.once('close', () => resolve()))
    process.once('exit', this.killNow)
  }

  /** Rejects when it does not say that it is ready; `config` are keys of broker.conf. */
  static async start(options: {
    readonly store: string
    readonly broker: number
    readonly nameServer: number
    readonly config: Readonly<Record<string, string | number>>
  }): Promise<SkuaProcess> {
    const further = Object.entries({ ...askedDialect(), ...options.config }).flatMap(([key, value]) => [
      '--config',
      `${key}=${value}`,
    ])
    const place = ['--store', options.store, '--port', `${options.broker}`, '--namesrv-port', `${options.nameServer}`]
    const child = spawn(process.execPath, ['--conditions=skua-source', '--import', 'tsx', main, ...place, ...further], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const skua = new SkuaProcess(child)
    let said = ''
    const ready = new Promise<void>((resolve, reject) => {
      const listen = (chunk: unknown) => {
        said += String(chunk)
        if (said.includes('Skua is ready')) resolve()
      }
      child.stdout?.on('data', listen)
      child.stderr?.on('data', listen)
      child.once('close', () => reject(new Error(`Skua ended: ${said}`)))
      setTimeout(() => reject(new Error(`Skua is not ready: ${said}`)), readyPatienceMs).unref()
    })
    try {
      await ready
    } catch (error) {
      await skua.stop('SIGKILL')
      throw error
    }
    return skua
  }

  async stop(signal: NodeJS.Signals): Promise<void> {
    process.removeListener('exit', this.killNow)
    this.child.kill(signal)
    await this.gone
  }

  private readonly killNow = () => {
    this.child.kill('SIGKILL')
  }
}
