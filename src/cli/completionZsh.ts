import type { Command } from './command.ts';
import type { Completed } from './completion.ts';
import { completed } from './completion.ts';

/** A completion for zsh 5, which shows what each command and each flag means. It works sourced, and as a file `_oneshot` in $fpath. */
export function zshCompletion(commands: readonly Command[]): string {
  const all = completed(commands);
  const singles = all.filter(({ name }) => !name.includes(' '));
  const heads = [...new Set(all.map(({ name }) => name.split(' ')[0] ?? ''))];
  const first = [
    ...heads.map((head) =>
      described(head, singles.find(({ name }) => name === head)?.summary ?? summaries(all, head)),
    ),
    described('help', 'Print the help of one command.'),
  ];
  // The server's own flags are those of a line without a command, too: the last branch.
  const cases = all
    .filter(({ name }) => name !== 'serve')
    .toSorted((a, b) => b.name.split(' ').length - a.name.split(' ').length)
    .map(({ name, options, words }) =>
      branch(
        name,
        options,
        words.map((word) => described(word, summaryOf(all, `${name} ${word}`))),
      ),
    );
  const groups = heads
    .filter((head) => !singles.some(({ name }) => name === head))
    .map((head) =>
      branch(
        head,
        [],
        members(all, head).map(({ name, summary }) => described(name.split(' ')[1] ?? '', summary)),
      ),
    );
  const choices = [
    ...new Set(
      all
        .flatMap(({ options }) => options)
        .filter((option) => option.choices.length > 0)
        .map(
          (option) =>
            `    ${option.flag}*) compset -P '*='; compadd -- ${option.choices.join(' ')}; return ;;`,
        ),
    ),
  ];
  return `#compdef oneshot
# zsh completion for oneshot: source <(oneshot completion zsh)
_oneshot() {
  local -a commands flags words_
  local typed="\${words[CURRENT]}"
  commands=(
${first.map((each) => `    ${each}`).join('\n')}
  )
  if ((\${words[(I)--]} > 0 && \${words[(I)--]} < CURRENT)); then
    shift \${words[(I)--]} words
    ((CURRENT = \${#words}))
    _normal
    return
  fi
  case "$typed" in
${choices.join('\n')}
    --*=*) compset -P '*='; _files; return ;;
  esac
  if ((CURRENT == 2)) && [[ "$typed" != -* ]]; then
    _describe 'command' commands
    return
  fi
  case "\${words[2,CURRENT-1]} " in
${[...cases, ...groups].join('\n')}
    'help '*) _describe 'command' commands; return ;;
${branch('', all.find(({ name }) => name === 'serve')?.options ?? [], [])}
  esac
  if [[ "$typed" == -* ]]; then
    _describe -o 'option' flags -S ''
    return
  fi
  if ((\${#words_} > 0)); then _describe 'word' words_; else _files; fi
}
if [[ "\${funcstack[1]}" == _oneshot ]]; then _oneshot "$@"; else compdef _oneshot oneshot; fi
`;
}

function branch(name: string, options: Completed['options'], words: readonly string[]): string {
  const flags = options.map(({ flag, doc }) => described(flag, doc));
  const pattern = name === '' ? '*' : `'${name} '*`;
  return `    ${pattern}) flags=(${flags.join(' ')}) words_=(${words.join(' ')}) ;;`;
}

/** As `_describe` reads it: a name, a colon, what it means; in single quotes. */
function described(name: string, meaning: string): string {
  const text = meaning === '' ? name : `${name.replaceAll(':', String.raw`\:`)}:${meaning}`;
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function members(all: readonly Completed[], head: string): readonly Completed[] {
  return all.filter(({ name }) => name.startsWith(`${head} `));
}

function summaries(all: readonly Completed[], head: string): string {
  return members(all, head)
    .map(({ name }) => name)
    .join(', ');
}

function summaryOf(all: readonly Completed[], name: string): string {
  return all.find((each) => each.name === name)?.summary ?? '';
}
