import {
  type Address,
  type Clock,
  defineEvent,
  type Events,
  Failure,
  type Http,
  type HttpAnswer,
  type HttpListener,
  type HttpRequest,
  type Service,
} from '@skua-mq/runtime'
import { Exposition, type ExpositionParts, expositionType } from './exposition.ts'
import { scrape } from './scrape.ts'
import type { MetricSource } from './source.ts'
import type { BrokerStanding, Standing } from './standing.ts'

export const metricsListening = defineEvent<{ host: string; port: number }>('metrics: listening', 'info')
export const scrapeFailed = defineEvent<{ error: unknown }>('metrics: a scrape failed', 'warn')

/** Scrapes at a time; one more is answered 503. Prometheus in a pair makes two. */
export const maxScrapes = 4

export interface ExporterParts {
  readonly http: Http
  readonly clock: Pick<Clock, 'after' | 'monotonic'>
  readonly events: Events
  readonly listen: Address
  /** Whoever keeps it sees what comes later. */
  readonly sources: readonly MetricSource[]
  readonly standing: BrokerStanding
  readonly exposition: ExpositionParts
}

/**
 * /metrics, /health and /ready. It listens before the store is opened and until it is closed; there are metrics between
 * `open` and `close` only, since they are read from tables and from the store.
 */
export class Exporter implements Service {
  readonly name = 'metrics'
  private readonly parts: ExporterParts
  private readonly running = new Set<Promise<void>>()
  private listener: HttpListener | undefined
  private isOpen = false

  constructor(parts: ExporterParts) {
    this.parts = parts
  }

  /** Undefined while it does not listen. */
  get address(): Address | undefined {
    return this.listener?.address
  }

  /** Throws a Failure with the system's code. */
  async start(): Promise<void> {
    const { http, listen, events } = this.parts
    try {
      this.listener = await http.listen(listen, request => this.answer(request))
    } catch (error) {
      const { code, message } = error as Failure
      throw new Failure(code, `metricsPromExporterHost, metricsPromExporterPort: ${message}`, { cause: error })
    }
    events.emit(metricsListening(this.listener.address))
  }

  async stop(): Promise<void> {
    await this.listener?.close()
    this.listener = undefined
  }

  /** Store and tables are there. */
  open(): void {
    this.isOpen = true
  }

  /** Resolves when no scrape reads them any more. */
  async close(): Promise<void> {
    this.isOpen = false
    await Promise.all(this.running)
  }

  private answer({ path }: HttpRequest): HttpAnswer {
    switch (path) {
      // Java's exporter answers on all of these.
      case '/metrics':
      case '/':
        return this.metrics()
      case '/health':
      case '/-/healthy':
        return json(this.parts.standing.health())
      case '/ready':
        return json(this.parts.standing.ready())
      default:
        return { status: 404, type: 'text/plain', body: '/metrics, /health, /ready\n' }
    }
  }

  private metrics(): HttpAnswer {
    const text = (body: string): HttpAnswer => ({ status: 503, type: 'text/plain', body })
    if (!this.isOpen) return text('the broker starts or stops\n')
    if (this.running.size >= maxScrapes) return text(`${maxScrapes} scrapes are under way\n`)
    return { status: 200, type: expositionType, body: this.scrape() }
  }

  private async *scrape(): AsyncIterable<string> {
    const { clock, sources, events } = this.parts
    let over = () => {}
    const done = new Promise<void>(resolve => {
      over = resolve
    })
    this.running.add(done)
    try {
      const exposition = new Exposition(this.parts.exposition)
      yield* scrape({ clock, sources, exposition, isOver: () => !this.isOpen })
    } catch (error) {
      if (this.isOpen) events.emit(scrapeFailed({ error }))
      throw error
    } finally {
      this.running.delete(done)
      over()
    }
  }
}

const json = ({ ok, body }: Standing): HttpAnswer => ({
  status: ok ? 200 : 503,
  type: 'application/json',
  body: `${JSON.stringify(body)}\n`,
})
