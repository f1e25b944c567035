import { type CommandNode, mqadminPath } from './command-tree.ts'

/** For fish 3 and newer. */
export function fishScript(nodes: readonly CommandNode[]): string {
  const valued = nodes.flatMap(({ path, flags }) =>
    flags
      .filter(({ value }) => value !== 'none')
      .flatMap(({ names }) => names.map(name => fishQuoted(`${path} ${name}`))),
  )
  return `# Completion of skua and mqadmin for fish: skua completion fish | source
set -g __skua_paths ${nodes.map(({ path }) => fishQuoted(path)).join(' ')}
set -g __skua_valued ${valued.join(' ')}

function __skua_at --description 'Whether the words so far name this command'
  set -l words (commandline -opc)
  set -l at skua
  string match -qr '(^|/)mqadmin[^/]*$' -- $words[1]; and set at ${fishQuoted(mqadminPath)}
  set -l skip no
  for word in $words[2..-1]
    if test $skip = yes
      set skip no
    else if contains -- "$at $word" $__skua_valued
      set skip yes
    else if contains -- "$at $word" $__skua_paths
      set at "$at $word"
    end
  end
  test "$at" = "$argv[1]"
end

for name in skua mqadmin
  complete -c $name -e
  complete -c $name -f
${nodes
  .flatMap(linesOf)
  .map(line => `  ${line}`)
  .join('\n')}
end
`
}

function linesOf({ path, below, flags, takesFiles }: CommandNode): string[] {
  const when = `complete -c $name -n ${fishQuoted(`__skua_at ${fishQuoted(path)}`)}`
  return [
    ...below.map(({ name, help }) => `${when} -a ${fishQuoted(name)} -d ${fishQuoted(help)}`),
    ...flags.map(({ names, help, value }) => {
      const parts = names.map(name => (name.startsWith('--') ? `-l ${name.slice(2)}` : shortOf(name)))
      const needs = value === 'none' ? '' : value === 'file' ? ' -r -F' : ' -x'
      return `${when} ${parts.join(' ')}${needs} -d ${fishQuoted(help)}`
    }),
    ...(takesFiles ? [`${when} -F`] : []),
  ]
}

/** Apache's tools have flags like -bn: an old style option. */
const shortOf = (name: string): string => (name.length === 2 ? `-s ${name.slice(1)}` : `-o ${name.slice(1)}`)

/** In quotes, fish knows two escapes only. */
const fishQuoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
