import { type CommandNode, mqadminPath } from './command-tree.ts'
import { quoted } from './quoted.ts'

/** For bash 3 and newer. */
export function bashScript(nodes: readonly CommandNode[]): string {
  return `# Completion of skua and mqadmin for bash: source <(skua completion bash)
_skua_of() {
  words='' flags='' valued='' filed='' files=''
  case "$1" in
${nodes.map(caseOf).join('\n')}
  esac
}

_skua() {
  local at=skua i word cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  local words flags valued filed files
  case "\${COMP_WORDS[0]##*/}" in mqadmin*) at=${quoted(mqadminPath)} ;; esac
  _skua_of "$at"
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case " $valued $filed " in *" $word "*) ((i++)); continue ;; esac
    case " $words " in *" $word "*) at="$at $word"; _skua_of "$at" ;; esac
  done
  COMPREPLY=()
  case " $filed " in *" $prev "*) files=yes cur=\${cur#=} words='' flags='' ;; esac
  case " $valued " in *" $prev "*) return ;; esac
  case "$cur" in
    -*) COMPREPLY=($(compgen -W "$flags" -- "$cur")) ;;
    *)
      COMPREPLY=($(compgen -W "$words" -- "$cur"))
      if [ -n "$files" ]; then
        type compopt >/dev/null 2>&1 && compopt -o filenames 2>/dev/null
        local IFS=$'\n'
        COMPREPLY+=($(compgen -f -- "$cur"))
      fi
      ;;
  esac
}

complete -F _skua skua mqadmin
`
}

function caseOf({ path, below, flags, takesFiles }: CommandNode): string {
  const namesOf = (value: string) => flags.filter(flag => flag.value === value).flatMap(({ names }) => names)
  const parts = {
    words: below.map(({ name }) => name),
    flags: flags.flatMap(({ names }) => names),
    valued: namesOf('word'),
    filed: namesOf('file'),
    files: takesFiles ? ['yes'] : [],
  }
  const set = Object.entries(parts).filter(([, values]) => values.length > 0)
  return `    ${quoted(path)}) ${set.map(([name, values]) => `${name}=${quoted(values.join(' '))}`).join(' ')} ;;`
}
