import type { Command } from './command.ts';
import { CLIENT_NODE_MIN, EXIT } from './command.ts';
import { completionScript } from './completionScripts.ts';
import type { Option } from './options.ts';
import { UsageError } from './options.ts';

const SHELLS = ['bash', 'fish', 'zsh'] as const;

/** The command that prints the completion of all commands, itself among them. */
export function completionOf(commands: () => readonly Command[]): Command {
  return {
    name: 'completion',
    summary: 'Print the completion script for bash, fish or zsh.',
    usage: 'bash|fish|zsh',
    about: [
      'bash: add `source <(oneshot completion bash)` to ~/.bashrc.',
      'fish: add `oneshot completion fish | source` to ~/.config/fish/config.fish.',
      'zsh: add `source <(oneshot completion zsh)` to ~/.zshrc, after `autoload -Uz compinit && compinit`; or write the script to a file _oneshot in a directory of $fpath.',
    ],
    options: {},
    examples: ['source <(oneshot completion bash)', 'oneshot completion zsh > ~/.zfunc/_oneshot'],
    exits: [
      ['0', 'success'],
      ['2', 'unsupported shell, or wrong usage'],
    ],
    words: SHELLS,
    nodeMajorMin: CLIENT_NODE_MIN,
    run: async (io, { words }) => {
      const [typed, more] = words;
      const shell = SHELLS.find((each) => each === typed);
      if (shell === undefined || more !== undefined)
        throw new UsageError('name one shell: bash, fish or zsh');
      io.stdout.write(completionScript(shell, tableOf(commands())));
      return EXIT.ok;
    },
  };
}

const HELP: Option = { doc: 'Print help.' };

/** `<sqlite|memory>` stands for a value that is one of these. */
const CHOICES = /^<([^<>]+(?:\|[^<>]+)+)>$/;

/**
 * What a shell offers, a line each: `behind|word|meaning`. `behind` is the name of a command, or of a group of them, or nothing at the
 * beginning; or a flag with its `=`, whose values follow.
 */
function tableOf(commands: readonly Command[]): string {
  const rows = new Map<string, string>();
  const add = (behind: string, word: string, meaning = ''): void => {
    const key = `${behind}|${word}`;
    if ((rows.get(key) ?? '') === '') rows.set(key, meaning.replace(/\. .*$/s, '.'));
  };
  for (const { name, summary, options, words = [] } of commands) {
    const [head = '', member] = name.split(' ');
    add('help', head);
    if (member === undefined) add('', head, summary);
    else add(head, member, summary);
    for (const word of words) add(name, word);
    for (const [flag, option] of Object.entries<Option>({ ...options, help: HELP })) {
      const word = `--${flag}${option.type === undefined || option.alone !== undefined ? '' : '='}`;
      add(name, word, option.doc);
      // The server's own flags are those of a line without a command, too.
      if (name === 'serve') add('', word, option.doc);
      const choices = CHOICES.exec(option.type?.placeholder ?? '')?.[1]?.split('|') ?? [];
      for (const choice of choices) add(word, choice);
    }
  }
  // A group is no command by itself: its members say what it is.
  for (const { name } of commands) {
    const [head = ''] = name.split(' ');
    const members = commands.filter((each) => each.name.startsWith(`${head} `));
    add('', head, members.map((each) => each.name).join(', '));
  }
  add('', 'help', 'Print the help of one command.');
  return [...rows].map(([key, meaning]) => `${key}|${meaning}`).join('\n');
}
