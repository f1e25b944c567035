import { type CommandNode, mqadminPath } from './command-tree.ts'
import { quoted } from './quoted.ts'

/** For zsh 5 and newer: sourced behind compinit, or as a file _skua in fpath. */
export function zshScript(nodes: readonly CommandNode[]): string {
  return `#compdef skua mqadmin
# Completion of skua and mqadmin for zsh: source <(skua completion zsh), behind compinit
_skua_of() {
  below=() flags=() valued=() filed=() files=no
  case $1 in
${nodes.map(caseOf).join('\n')}
  esac
}

_skua() {
  local at=skua word files i
  local -a below flags valued filed names
  [[ \${words[1]:t} == mqadmin* ]] && at=${quoted(mqadminPath)}
  _skua_of $at
  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
    if (( \${valued[(Ie)$word]} || \${filed[(Ie)$word]} )); then ((i++)); continue; fi
    # Between double brackets an array would be one text.
    names=(\${below%%:*})
    if (( \${names[(Ie)$word]} )); then at="$at $word"; _skua_of $at; fi
  done
  (( \${filed[(Ie)$words[CURRENT-1]]} )) && { _files; return }
  (( \${valued[(Ie)$words[CURRENT-1]]} )) && return
  if [[ $PREFIX == -* ]]; then
    _describe -o option flags
  else
    (( $#below )) && _describe command below
    [[ $files == yes ]] && _files
  fi
}

if [[ $funcstack[1] == _skua ]]; then _skua "$@"; else compdef _skua skua mqadmin; fi
`
}

function caseOf({ path, below, flags, takesFiles }: CommandNode): string {
  const described = (name: string, help: string): string =>
    quoted(`${name.replaceAll(':', '\\:')}:${help.replaceAll(':', '\\:')}`)
  const namesOf = (value: string) => flags.filter(flag => flag.value === value).flatMap(({ names }) => names)
  const parts = {
    below: below.map(({ name, help }) => described(name, help)),
    flags: flags.flatMap(({ names, help }) => names.map(name => described(name, help))),
    valued: namesOf('word'),
    filed: namesOf('file'),
  }
  const set = Object.entries(parts).filter(([, values]) => values.length > 0)
  const texts = set.map(([name, values]) => `${name}=(${values.join(' ')})`)
  return `    (${quoted(path)}) ${[...texts, ...(takesFiles ? ['files=yes'] : [])].join(' ')} ;;`
}
