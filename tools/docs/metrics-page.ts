import { type Family, rocketmqFamilies, skuaFamilies } from '@skua-mq/broker'

const cell = (text: string): string => text.replaceAll('|', '\\|')
const row = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`

const table = (families: Readonly<Record<string, Family>>): string =>
  [
    row(['name', 'type', 'labels', 'meaning']),
    row(['---', '---', '---', '---']),
    ...Object.values(families).map(({ name, type, labels, help }) =>
      row([`\`${name}\``, type, labels.map(label => `\`${label}\``).join(', '), help]),
    ),
  ].join('\n')

/** What is told over HTTP: every metric, from the tables in the source. */
export const metricsPage = (note: string): string => `${note}# Metrics, health and readiness

\`\`\`properties
metricsExporterType=PROM
# 5557; 0 takes any free port
metricsPromExporterPort=5557
# empty: the address of brokerIP1, as in RocketMQ
metricsPromExporterHost=
\`\`\`

| path | answer |
| --- | --- |
| /metrics, / | the text format 0.0.4 of Prometheus, compressed for those who take gzip; 503 while the broker starts or stops |
| /health | 200 while messages can be written or read, else 503; JSON with \`status\`, \`readable\`, \`writable\`, \`cause\`, \`remark\` |
| /ready | 200 once the broker answers and a name server has taken its registration (or it has none), else 503 with a \`remark\` |

It is off by default: then nothing is counted for it, no timer runs, no port is opened, and no module of HTTP is loaded. The port
is opened before the store is, so that /ready says from the beginning that the broker starts; where it is taken the start is
refused. There is neither a password nor TLS: give it an address that only those can reach who look after the broker.

A scrape is written in slices of 500 lines or 2 ms, a turn of the loop each, as fast as its client reads. Limits: 4 scrapes at a time (one
more gets 503), 32 connections, 8 KiB of request headers, 5 s for a request, 30 s for an answer. A series is one set of labels; of
one name there are at most \`metricsOtelCardinalityLimit\` (50,000). What is counted message by message beyond that is counted
together, under the label \`otel_metric_overflow="true"\`; what is only looked at is left out, and \`skua_metrics_dropped_series\` says
how much. A scrape that fails or that the end of the broker meets is cut, so that it does not pass for a whole one.

[grafana-dashboard.json](grafana-dashboard.json) is a dashboard to import.

## RocketMQ's names

Names, labels and types are those of a scrape of 5.3.3, which a test compares; the rules of what is counted where are its rules.
All have \`otel_scope_name="broker-meter"\`, \`cluster\`, \`node_id\` (the broker's name) and \`node_type="broker"\`, and what \`metricsLabel\` adds.

${table(rocketmqFamilies)}

What differs from 5.3.3:

- Types stand at the names that samples have. 5.3.3 types \`rocketmq_storage_size\` and writes \`rocketmq_storage_size_bytes\`, which
  Prometheus takes as untyped.
- Samples carry no time of their own, whole numbers are written without \`.0\`, and there is no \`target_info\` and no \`otel_scope_info\`.
- Figures of POP are not there yet, so \`rocketmq_pop_*\` is left out. \`rocketmq_processor_watermark\`
  is 0 for every processor: there are no thread pools, requests are worked on as they come.
- RPC times have fractions of a millisecond and begin when a request is taken up; requests that nobody has named count as \`unknown\`.
- What a group has pulled is at least what it has consumed; 5.3.3 takes 0 or the end of the queue where it does not know.
- A dead letter that a consumer sends to its own retry topic counts for that group, and not for the producer group of the request.
- \`rocketmq_messages_out_total\` of a group that took nothing of a topic for a day begins again at 0.
- Half messages from before a start are counted when it starts, up to 10,000.
- Exporters OTLP_GRPC and LOG are refused at the start.

## Skua's own

They have the same labels without \`otel_scope_name\`.

${table(skuaFamilies)}
`
