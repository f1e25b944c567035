import { ResponseCode, requestByCode } from '@skua-mq/protocol'
import type { Exchange, ExchangeResult, RequestObserver } from '@skua-mq/remoting'
import { Histogram } from '@skua-mq/runtime'
import { rocketmq } from './rocketmq-families.ts'
import type { MetricSource, Samples } from './source.ts'

/** Upper ends of RocketMQ's classes, ms. */
const bounds = [1, 3, 5, 7, 10, 100, 1000, 2000, 3000]

const results: readonly ExchangeResult[] = ['success', 'oneway', 'lost']
const resultLabels: Readonly<Record<ExchangeResult, string>> = {
  success: 'success',
  oneway: 'oneway',
  lost: 'write_channel_failed',
}

/** As Java's constants are called, in small letters. */
const responseNames = new Map<number, string>(
  Object.entries(ResponseCode).map(([name, code]) => [code, name.replace(/[A-Z]/g, each => `_${each.toLowerCase()}`)]),
)

/** Above all response codes that there are. */
const responseCodes = 4096

interface Row {
  readonly labels: readonly string[]
  readonly times: Histogram
}

/** How long requests took, by request and by what became of them: two looks into a map and a few additions each. */
export class RpcLatency implements RequestObserver, MetricSource {
  /** By request, response, hold and result in one number; as many as there are requests of a name, at most. */
  private readonly rows = new Map<number, Row>()
  private readonly known = new Map<number, number>()

  answered(exchange: Exchange): void {
    const request = this.known.get(exchange.requestCode) ?? this.know(exchange.requestCode)
    const held = exchange.wasHeld ? 1 : 0
    const result = results.indexOf(exchange.result)
    const key = ((request * responseCodes + exchange.responseCode) * 2 + held) * results.length + result
    let row = this.rows.get(key)
    if (row === undefined) {
      row = { labels: labelsOf(exchange), times: new Histogram(bounds) }
      this.rows.set(key, row)
    }
    row.times.add(exchange.tookMs)
  }

  /** A small number for each request that has a name; 0 for all others, which are not remembered. */
  private know(code: number): number {
    if (requestByCode(code) === undefined) return 0
    const number = this.known.size + 1
    this.known.set(code, number)
    return number
  }

  *collect(into: Samples): Iterable<void> {
    for (const { labels, times } of this.rows.values()) yield into.histogram(rocketmq.rpcLatency, labels, times)
  }
}

const labelsOf = ({ requestCode, responseCode, wasHeld, result }: Exchange): string[] => [
  String(wasHeld),
  'remoting',
  requestByCode(requestCode)?.name.toLowerCase() ?? 'unknown',
  responseNames.get(responseCode) ?? String(responseCode),
  resultLabels[result],
]
