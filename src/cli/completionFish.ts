import type { Command } from './command.ts';
import type { Completed } from './completion.ts';
import { completed } from './completion.ts';

/**
 * A completion for fish 3 and newer. Each line of it holds where its condition does: `__oneshot_is 'spool flush'` says that the line
 * begins with these words, and with no longer name of a command. Behind `--` stands a command and its files, which fish completes itself.
 */
export function fishCompletion(commands: readonly Command[]): string {
  const all = completed(commands);
  const heads = [...new Set(all.map(({ name }) => name.split(' ')[0] ?? ''))];
  const first = heads.map((head) =>
    offer('__oneshot_is_first', head, all.find(({ name }) => name === head)?.summary ?? members(all, head)),
  );
  const groups = all
    .filter(({ name }) => name.includes(' '))
    .map(({ name, summary }) => {
      const [head = '', word = ''] = name.split(' ');
      return offer(`__oneshot_is ${quoted(head)}`, word, summary);
    });
  const ofCommands = all.flatMap(({ name, options, words }) => [
    ...options.map((option) => flag(`__oneshot_is ${quoted(name)}`, option)),
    ...words
      .filter((word) => !all.some((each) => each.name === `${name} ${word}`))
      .map((word) => offer(`__oneshot_is ${quoted(name)}`, word, '')),
  ]);
  // The server's own flags are those of a line without a command, too.
  const unnamed = all
    .filter(({ name }) => name === 'serve')
    .flatMap(({ options }) => options.map((option) => flag('__oneshot_is_first', option)));
  return `# fish completion for oneshot: oneshot completion fish | source
function __oneshot_words
    for word in (commandline -opc)[2..]
        test "$word" = --; and return 1
        string match -q -- '-*' "$word"; or echo $word
    end
end
function __oneshot_is_first
    set -l words (__oneshot_words); or return 1
    test (count $words) -eq 0
end
function __oneshot_is
    set -l words (__oneshot_words); or return 1
    set -l names ${all.map(({ name }) => quoted(name)).join(' ')}
    if test (count $words) -ge 2; and contains -- "$words[1..2]" $names
        test "$words[1..2]" = "$argv[1]"
    else
        test "$words[1]" = "$argv[1]"
    end
end
function __oneshot_is_run
    contains -- -- (commandline -opc)
end
complete -c oneshot -e
complete -c oneshot -n '__oneshot_is_run' -x -a '(__fish_complete_subcommand --fcs-skip=(contains -i -- -- (commandline -opc)))'
${[...first, offer('__oneshot_is_first', 'help', 'Print the help of one command.'), ...heads.map((head) => offer("__oneshot_is 'help'", head, '')), ...groups, ...ofCommands, ...unnamed].join('\n')}
`;
}

function offer(condition: string, word: string, meaning: string): string {
  const what = meaning === '' ? '' : ` -d ${quoted(meaning)}`;
  return `complete -c oneshot -n ${quoted(condition)} -f -a ${quoted(word)}${what}`;
}

function flag(condition: string, { flag: written, doc, choices }: Completed['options'][number]): string {
  const name = written.replace(/^--/, '').replace(/=$/, '');
  const value = !written.endsWith('=')
    ? ''
    : choices.length > 0
      ? ` -x -a ${quoted(choices.join(' '))}`
      : ' -r';
  return `complete -c oneshot -n ${quoted(condition)} -l ${quoted(name)}${value} -d ${quoted(doc)}`;
}

function members(all: readonly Completed[], head: string): string {
  return all
    .filter(({ name }) => name.startsWith(`${head} `))
    .map(({ name }) => name)
    .join(', ');
}

/** In single quotes, where fish knows two escapes. */
function quoted(text: string): string {
  return `'${text.replaceAll('\\', String.raw`\\`).replaceAll("'", String.raw`\'`)}'`;
}
