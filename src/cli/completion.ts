import { bashCompletion } from './completionBash.ts';
import { fishCompletion } from './completionFish.ts';
import { zshCompletion } from './completionZsh.ts';
import type { Command } from './command.ts';
import { CLIENT_NODE_MIN, EXIT } from './command.ts';
import { UsageError } from './options.ts';

/** The shells that there is a completion for. */
const SHELLS: Readonly<Record<string, (commands: readonly Command[]) => string>> = {
  bash: bashCompletion,
  fish: fishCompletion,
  zsh: zshCompletion,
};

/** The command that prints the completion of all commands, itself among them. */
export function completionOf(commands: () => readonly Command[]): Command {
  return {
    name: 'completion',
    summary: 'Print the completion script for bash, fish or zsh.',
    usage: 'bash|fish|zsh',
    about: [
      'bash: add `source <(oneshot completion bash)` to ~/.bashrc.',
      'fish: add `oneshot completion fish | source` to ~/.config/fish/config.fish.',
      'zsh: add `source <(oneshot completion zsh)` to ~/.zshrc, after compinit; or write the script to a file _oneshot in a directory of $fpath.',
    ],
    options: {},
    examples: ['source <(oneshot completion bash)', 'oneshot completion zsh > ~/.zfunc/_oneshot'],
    exits: [
      ['0', 'success'],
      ['2', 'unsupported shell, or wrong usage'],
    ],
    words: Object.keys(SHELLS),
    nodeMajorMin: CLIENT_NODE_MIN,
    run: async (io, { words }) => {
      const [shell = '', more] = words;
      const write = Object.hasOwn(SHELLS, shell) ? SHELLS[shell] : undefined;
      if (write === undefined || more !== undefined)
        throw new UsageError('name one shell: bash, fish or zsh');
      io.stdout.write(write(commands()));
      return EXIT.ok;
    },
  };
}

/** What completion knows of a command: its options with what they mean, the values of those that take few, and its words. */
export interface Completed {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly {
    readonly flag: string;
    readonly doc: string;
    readonly choices: readonly string[];
  }[];
  readonly words: readonly string[];
}

/** `<sqlite|memory>` stands for a value that is one of these. */
const CHOICES = /^<([^<>]+(?:\|[^<>]+)+)>$/;

export function completed(commands: readonly Command[]): readonly Completed[] {
  return commands.map(({ name, summary, options, words = [] }) => ({
    name,
    summary,
    words,
    options: [...Object.entries(options), ['help', { doc: 'Print help.' }] as const].map(
      ([flag, option]) => ({
        flag: `--${flag}${'kind' in option && option.kind !== undefined ? '=' : ''}`,
        doc: firstSentence(option.doc),
        choices:
          ('kind' in option ? CHOICES.exec(option.kind?.placeholder ?? '')?.[1]?.split('|') : undefined) ??
          [],
      }),
    ),
  }));
}

function firstSentence(text: string): string {
  return text.replace(/\. .*$/s, '.');
}
