import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { say, warm } from '../compare.ts'
import { machineText } from '../machine.ts'
import { startApache, startSkua } from '../servers.ts'
import { warmPages } from '../warm-pages.ts'
import { clients } from './clients.ts'
import { deliveries } from './delivery.ts'
import type { Extra } from './extra.ts'
import { grpc } from './grpc.ts'
import { largeClusters } from './large-cluster.ts'
import { loads } from './loads.ts'
import { masterFamilies } from './masters.ts'
import { largeGroups } from './members.ts'
import { operators } from './operators.ts'
import { replications } from './replication.ts'
import { stores } from './stores.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    'skua-only': { type: 'boolean', default: false },
    /** Apache beside it only where the name matches this regular expression; default everywhere. */
    beside: { type: 'string', default: '' },
    write: { type: 'boolean', default: false },
  },
})

async function found(extra: Extra, start: () => ReturnType<typeof startSkua>): Promise<string> {
  const contender = await start()
  try {
    if (contender.name !== 'Skua') await warm(contender)
    warmPages(1024 ** 3)
    return await extra.run(contender)
  } catch (error) {
    return `failed: ${(error as Error).message}`
  } finally {
    await contender.stop()
  }
}

const lines = ['| situation | Skua | Apache 5.3.3 |', '| --- | --- | --- |']
for (const extra of [
  ...loads,
  ...grpc,
  ...clients,
  ...largeGroups,
  ...largeClusters,
  ...deliveries,
  ...replications,
  ...masterFamilies,
  ...stores,
  ...operators,
]) {
  if (!extra.name.includes(values.only)) continue
  const settings = { defaultTopicQueueNums: 8, ...extra.settings }
  const ours = await found(extra, () => startSkua(settings))
  const alone = values['skua-only'] || extra.skuaOnly === true || !new RegExp(values.beside).test(extra.name)
  const theirs = alone ? '' : await found(extra, () => startApache('5.3.3', settings, 1024))
  lines.push(`| ${extra.name} | ${ours} | ${theirs} |`)
  say(lines.at(-1)!)
}
const page = `# Further benchmarks

${machineText()}. Each situation once, each broker alone on the machine with the generator, Apache's warm; written by
\`npm run bench:more -- --write\`. The ratios that count are those of [benchmarks.md](benchmarks.md), which alternates.

${lines.join('\n')}
`
console.log(page)
if (values.write) {
  const docs = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..', 'docs')
  writeFileSync(join(docs, 'benchmarks-more.md'), page)
}
process.exit(0)
