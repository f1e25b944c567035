// A dot for each test, an X and its reason for each failure, and the counts at the end, in lines such as "# pass 12".
export default async function* dots(source) {
  let column = 0
  for await (const { type, data } of source) {
    if (type === 'test:pass' || type === 'test:fail') {
      const suite = data.details?.type === 'suite'
      if (type === 'test:fail') {
        yield `\nX ${data.name} (${data.file ?? ''})\n${suite ? '' : `${data.details?.error?.cause?.stack ?? data.details?.error}\n`}`
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
