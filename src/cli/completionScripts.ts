/**
 * The script that completes for a shell: the same table for each, and the shell's own few lines that look it up. Behind `--` stands a
 * command and its files, which the shell completes itself, as it does files where the table has nothing.
 */
export function completionScript(shell: 'bash' | 'fish' | 'zsh', table: string): string {
  // All of them read a quote in single quotes like this.
  return SCRIPTS[shell].replace('TABLE', () => `'${table.replaceAll("'", String.raw`'\''`)}'`);
}

/** bash 4 and newer. It splits a line at `=`, so the value of `--store.kind=` stands in a word of its own, two behind the flag. */
const BASH = `# bash completion for oneshot: source <(oneshot completion bash)
_oneshot_table=TABLE
_oneshot() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" behind='' i at word IFS=$' \\t\\n'
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [[ "\${COMP_WORDS[i]}" == -- ]]; then
      compopt -o default 2>/dev/null
      if ((i + 1 == COMP_CWORD)); then COMPREPLY=($(compgen -c -- "$current")); fi
      return
    fi
  done
  if [[ "$previous" == '=' ]]; then previous="\${COMP_WORDS[COMP_CWORD-2]}"; fi
  if [[ "$current" == '=' ]]; then current=''; fi
  if [[ "$previous" == -* && "$_oneshot_table" == *"|$previous=|"* ]]; then
    behind="$previous="
  else
    for ((i = COMP_CWORD > 2 ? 2 : COMP_CWORD - 1; i > 0; i--)); do
      behind="\${COMP_WORDS[*]:1:i}"
      if [[ $'\\n'"$_oneshot_table" == *$'\\n'"$behind|"* ]]; then break; fi
      behind=''
    done
  fi
  while IFS='|' read -r at word _; do
    if [[ "$at" != "$behind" || "$word" != "$current"* ]]; then continue; fi
    # Flags are many: they are offered once one is begun.
    if [[ "$word" != -* || "$current" == -* ]]; then COMPREPLY+=("$word"); fi
  done <<<"$_oneshot_table"
  if ((\${#COMPREPLY[@]} == 0)); then compopt -o default 2>/dev/null; fi
  if [[ "\${COMPREPLY[0]-}" == *= ]]; then compopt -o nospace 2>/dev/null; fi
}
complete -F _oneshot oneshot
`;

/** fish 3 and newer. */
const FISH = `# fish completion for oneshot: oneshot completion fish | source
set -g __oneshot_table (string split \\n TABLE)
function __oneshot_offer
    set -l current (commandline -ct)
    set -l words (commandline -opc)[2..]
    contains -- -- $words; and return
    set -l behind ''
    set -l flag (string match -r -- '^-.*?=' $current)
    if test -n "$flag"
        set behind $flag
    else if string match -q -- '-*' "$words[-1]"; and string match -q -- "*|$words[-1]=|*" $__oneshot_table
        set behind "$words[-1]="
    else
        for name in "$words[1..2]" "$words[1]"
            string match -q -- "$name|*" $__oneshot_table; or continue
            set behind $name
            break
        end
    end
    for row in (string match -- "$behind|*" $__oneshot_table)
        set -l parts (string split -m 2 -- '|' $row)
        string match -q -- '-*' $parts[2]; and not string match -q -- '-*' $current; and continue
        printf '%s%s\\t%s\\n' "$flag" $parts[2] $parts[3]
    end
end
complete -c oneshot -e
complete -c oneshot -n 'contains -- -- (commandline -opc)' -x -a '(__fish_complete_subcommand --fcs-skip=(contains -i -- -- (commandline -opc)))'
complete -c oneshot -n '__oneshot_offer | string match -q "*"' -f -a '(__oneshot_offer)'
`;

/** zsh 5, which shows what each word means. It works sourced, and as a file `_oneshot` in $fpath. */
const ZSH = `#compdef oneshot
# zsh completion for oneshot: source <(oneshot completion zsh)
_oneshot() {
  local table=TABLE
  local typed="\${words[CURRENT]}" previous="\${words[CURRENT-1]}" behind='' row i
  local -a rows offered flags
  if ((\${words[(I)--]} > 0 && \${words[(I)--]} < CURRENT)); then
    shift \${words[(I)--]} words
    ((CURRENT = \${#words}))
    _normal
    return
  fi
  rows=("\${(@f)table}")
  if [[ "$typed" == --*=* ]]; then
    behind="\${typed%%=*}="
    compset -P '*='
  elif [[ "$previous" == -* && "$table" == *"|$previous=|"* ]]; then
    behind="$previous="
  else
    for ((i = CURRENT > 3 ? 3 : CURRENT - 1; i > 1; i--)); do
      behind="\${words[2,i]}"
      if ((\${rows[(I)$behind\\|*]})); then break; fi
      behind=''
    done
  fi
  for row in "\${rows[@]}"; do
    if [[ "\${row%%|*}" != "$behind" ]]; then continue; fi
    row="\${\${row#*|}//:/\\\\:}"
    if [[ "$row" == -* ]]; then flags+=("\${row/|/:}"); else offered+=("\${row/|/:}"); fi
  done
  if [[ "$typed" == -* && -n "$flags" ]]; then
    _describe -o 'option' flags -S ''
  elif ((\${#offered} > 0)); then
    _describe 'word' offered
  else
    _files
  fi
}
if [[ "\${funcstack[1]}" == _oneshot ]]; then _oneshot "$@"; else compdef _oneshot oneshot; fi
`;

const SCRIPTS = { bash: BASH, fish: FISH, zsh: ZSH } as const;
