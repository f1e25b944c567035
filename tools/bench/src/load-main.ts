import { parseArgs } from 'node:util'
import { type LoadOptions, runLoad } from './load.ts'

/** One load against any name server address; prints one line of JSON. */
const { values } = parseArgs({
  options: {
    namesrv: { type: 'string', default: '127.0.0.1:9876' },
    kind: { type: 'string', default: 'send' },
    topic: { type: 'string', default: 'BenchTopic' },
    queues: { type: 'string', default: '8' },
    connections: { type: 'string', default: '16' },
    window: { type: 'string', default: '16' },
    body: { type: 'string', default: '128' },
    batch: { type: 'string', default: '1' },
    form: { type: 'string', default: 'json' },
    seconds: { type: 'string', default: '5' },
    warmup: { type: 'string', default: '2' },
    pid: { type: 'string' },
    topics: { type: 'string' },
  },
})
const options: LoadOptions = {
  namesrv: values.namesrv,
  kind: values.kind === 'pull' ? 'pull' : 'send',
  topic: values.topic,
  queues: Number(values.queues),
  connections: Number(values.connections),
  window: Number(values.window),
  bodyBytes: Number(values.body),
  batch: Number(values.batch),
  form: values.form === 'binary' ? 'binary' : 'json',
  seconds: Number(values.seconds),
  ...(values.topics === undefined ? {} : { topics: Number(values.topics) }),
  warmupSeconds: Number(values.warmup),
  pid: values.pid === undefined ? undefined : Number(values.pid),
}
console.log(JSON.stringify(await runLoad(options)))
process.exit(0)
