import { text } from '../config/valueTypes.ts';
import { shown } from '../core/errors.ts';
import type { Args } from './args.ts';
import type { Command } from './command.ts';
import { CLIENT_NODE_MIN, EXIT } from './command.ts';
import { UsageError } from './options.ts';
import type { CliIo } from './io.ts';
import { paintFor } from './style.ts';

/** How tokens are made and kept: what the server knows of them. */
export interface Tokens<Scope extends string> {
  readonly scopes: readonly Scope[];
  readonly randomBytes: number;
  readonly newToken: (random: Uint8Array) => string;
  readonly hashToken: (token: string) => string;
  /** The lines for the file of tokens. Throws a RangeError for a name that it would refuse. */
  readonly entry: (token: { name: string; scopes: readonly [Scope, ...Scope[]]; hash: string }) => string;
}

/** `oneshot token new`. */
export function tokenNewOf<Scope extends string>(tokens: Tokens<Scope>): Command {
  const all = tokens.scopes.join(', ');
  return {
    name: 'token new',
    summary: 'Create a token, and the lines for the tokens file.',
    usage: '',
    about: [
      'It prints the token once, on standard output, and stores it nowhere: give it to its user, as ONESHOT_TOKEN for these commands. The lines for auth.tokens.file go to standard error; they contain only the hash. The server reloads the file when it changes.',
    ],
    options: {
      name: {
        type: { ...text(), placeholder: '<name>' },
        short: 'n',
        doc: "Who will use it: letters, digits, . _ and -. The server's log shows this name.",
      },
      scope: {
        type: { ...text(), placeholder: '<scopes>' },
        short: 's',
        doc: `What it may do, separated by commas: ${all}.`,
      },
      json: { doc: 'Print the token, its hash and the lines as one JSON object.' },
    },
    examples: [
      'oneshot token new --name ci --scope write',
      'oneshot token new --name ci --scope write 2>> tokens.yml',
    ],
    exits: [
      ['0', 'success'],
      ['2', 'invalid name or scope'],
    ],
    nodeMajorMin: CLIENT_NODE_MIN,
    run: async (io, args) => run(io, args, tokens),
  };
}

function run<Scope extends string>(io: CliIo, args: Args, tokens: Tokens<Scope>): number {
  const [word] = args.words;
  if (word !== undefined) throw new UsageError(`unexpected ${shown(word)}; write --name=${word}`);
  const name = args.text('name');
  if (name === undefined) throw new UsageError('--name is missing; say whose token it is: --name=ci');
  const scopes = scopesOf(args.text('scope'), tokens.scopes);
  const token = tokens.newToken(io.randomBytes(tokens.randomBytes));
  const hash = tokens.hashToken(token);
  let lines: string;
  try {
    lines = tokens.entry({ name, scopes, hash });
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new UsageError(`--name: ${cause.message}`, { cause });
  }
  if (args.on('json')) {
    io.stdout.write(`${JSON.stringify({ name, scopes, token, hash, lines })}\n`);
    return EXIT.ok;
  }
  // Redirected, the two part: the token to who shall use it, the lines to the file.
  io.stderr.write(lines);
  io.stdout.write(`${paintFor(io.stdout, io.env)('bold', token)}\n`);
  return EXIT.ok;
}

function scopesOf<Scope extends string>(
  given: string | undefined,
  known: readonly Scope[],
): readonly [Scope, ...Scope[]] {
  const [first, ...rest] = (given ?? '').split(',').map((word) => {
    const scope = known.find((each) => each === word.trim());
    if (scope === undefined)
      throw new UsageError(`--scope ${shown(word)} doesn't exist; the scopes are ${known.join(', ')}`);
    return scope;
  });
  if (first === undefined) throw new UsageError(`--scope is missing; the scopes are ${known.join(', ')}`);
  return [first, ...rest];
}
