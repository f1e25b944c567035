import { type Declaration, publicDeclarations } from './declarations.ts'

const headings: readonly { readonly title: string; readonly kinds: readonly Declaration['kind'][] }[] = [
  { title: 'Classes', kinds: ['class'] },
  { title: 'Functions and values', kinds: ['function', 'const'] },
  { title: 'Types', kinds: ['interface', 'type'] },
]

const section = ({ name, doc, text }: Declaration): string =>
  `### ${name}\n\n${doc}\n\n\`\`\`ts\n${text.replaceAll('    ', '  ')}\n\`\`\`\n`

/** Everything that `@skua-mq/client` exports, as declared, with what its source says about it. */
export function clientApiPage(note: string): string {
  const all = publicDeclarations('client')
  const parts = headings.map(({ title, kinds }) => {
    const chosen = all.filter(({ kind }) => kinds.includes(kind))
    const links = chosen.map(({ name }) => `[${name}](#${name.toLowerCase()})`).join(' · ')
    return `## ${title}\n\n${links}\n\n${chosen.map(section).join('\n')}`
  })
  return `${note}# The API of @skua-mq/client\n\nWhat to use when stands in [client.md](client.md).\n\n${parts.join('\n')}`
}
