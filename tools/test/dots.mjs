// A dot for each test, an X and its reason for each failure, and the counts at the end, in lines such as "# pass 12".
import { existsSync, readFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { dirname, resolve } from 'node:path'

const maps = new Map()

function mapOf(file) {
  if (!maps.has(file))
    maps.set(
      file,
      existsSync(`${file}.map`) ? new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8'))) : undefined,
    )
  return maps.get(file)
}

/** A stack as the sources have it: what ran is JavaScript made of them. */
const inSources = stack =>
  String(stack).replace(
    /(?:file:\/\/)?(\/[^\s()]+\/\.tests\/[^\s()]+\.js):(\d+):(\d+)/g,
    (place, file, line, column) => {
      const { originalSource, originalLine, originalColumn } = mapOf(file)?.findEntry(line - 1, column - 1) ?? {}
      return originalSource === undefined
        ? place
        : `${resolve(dirname(file), originalSource)}:${originalLine + 1}:${originalColumn + 1}`
    },
  )

const sourceOf = file => (file ?? '').replace(/node_modules\/\.tests\/\d+\//, '').replace(/\.js$/, '.ts')

export default async function* dots(source) {
  let column = 0
  for await (const { type, data } of source) {
    if (type === 'test:pass' || type === 'test:fail') {
      const suite = data.details?.type === 'suite'
      if (type === 'test:fail') {
        const reason = inSources(data.details?.error?.cause?.stack ?? data.details?.error)
        yield `\nX ${data.name} (${sourceOf(data.file)})\n${suite ? '' : `${reason}\n`}`
        column = 0
      } else if (!suite) yield ++column % 100 === 0 ? '.\n' : '.'
    }
    if (
      type === 'test:diagnostic' &&
      data.nesting === 0 &&
      /^(tests|pass|fail|cancelled|skipped|duration_ms) /.test(data.message)
    )
      yield `${data.message.startsWith('tests') ? '\n' : ''}# ${data.message}\n`
  }
}
