import type { Command } from './command.ts';
import { completed } from './completion.ts';

/**
 * A completion for bash 4 and newer. bash splits a line at `=`, so the value of `--store.kind=` stands in a word of its own, two behind
 * the flag. Behind `--` stands a command and its files, which bash completes itself.
 */
export function bashCompletion(commands: readonly Command[]): string {
  const all = completed(commands);
  const names = [...new Set(['help', ...all.map(({ name }) => name.split(' ')[0] ?? '')])];
  // Two words before one, so that `config check` is not taken for `config`.
  const cases = all
    .toSorted((a, b) => b.name.split(' ').length - a.name.split(' ').length)
    .map(
      ({ name, options, words }) =>
        `    '${name}'*) flags='${options.map(({ flag }) => flag).join(' ')}' words='${words.join(' ')}' ;;`,
    );
  const groups = all.filter(({ name }) => name.includes(' '));
  const heads = [...new Set(groups.map(({ name }) => name.split(' ')[0] ?? ''))]
    .filter((head) => !all.some(({ name }) => name === head))
    .map(
      (head) =>
        `    '${head}'*) words='${groups
          .filter(({ name }) => name.startsWith(`${head} `))
          .map(({ name }) => name.split(' ')[1])
          .join(' ')}' ;;`,
    );
  const choices = all
    .flatMap(({ options }) => options)
    .filter((option) => option.choices.length > 0)
    .map((option) => `    ${option.flag.replace('=', '')}) values='${option.choices.join(' ')}' ;;`);
  return `# bash completion for oneshot: source <(oneshot completion bash)
_oneshot() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local flags='' words='' values='' i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [[ "\${COMP_WORDS[i]}" == -- ]]; then
      compopt -o default 2>/dev/null
      if ((i + 1 == COMP_CWORD)); then COMPREPLY=($(compgen -c -- "$current")); fi
      return
    fi
  done
  if [[ "$current" == '=' ]]; then
    current='' previous="\${COMP_WORDS[COMP_CWORD-1]}"
  elif [[ "$previous" == '=' ]]; then
    previous="\${COMP_WORDS[COMP_CWORD-2]}"
  fi
  case "$previous" in
${[...new Set(choices)].join('\n')}
  esac
  if [[ -n "$values" ]]; then
    COMPREPLY=($(compgen -W "$values" -- "$current"))
    return
  fi
  if ((COMP_CWORD == 1)) && [[ "$current" != -* ]]; then
    COMPREPLY=($(compgen -W '${names.join(' ')}' -- "$current"))
    return
  fi
  case "\${COMP_WORDS[*]:1:COMP_CWORD-1} " in
${[...cases, ...heads].join('\n')}
    'help '*) words='${names.join(' ')}' ;;
    *) flags='${
      all
        .find(({ name }) => name === 'serve')
        ?.options.map(({ flag }) => flag)
        .join(' ') ?? ''
    }' ;;
  esac
  if [[ "$current" == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
    if [[ "\${COMPREPLY[0]-}" == *= ]]; then compopt -o nospace 2>/dev/null; fi
    return
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if ((\${#COMPREPLY[@]} == 0)); then compopt -o default 2>/dev/null; fi
}
complete -F _oneshot oneshot
`;
}
