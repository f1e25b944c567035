import { startDashboard } from '../src/index.ts'
import { startDemo } from './demo.ts'

const { buildPage } = await import(new URL('../page/build.mjs', import.meta.url).href)
const demo = await startDemo()
const port = Number(process.argv[2] ?? 8090)
const listener = await startDashboard({ namesrvAddr: demo.namesrvAddr, port, page: await buildPage(), sampleMs: 500 })
console.log(listener.url)
let n = 0
const tick = async () => {
  await demo.producer.send({ topic: 'Orders', body: `tick ${n++}`, tag: 'new' })
  setTimeout(tick, 300)
}
if (process.argv[3] === 'live') void tick()
