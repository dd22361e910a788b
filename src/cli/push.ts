import { text } from '../config/valueTypes.ts';
import { HOUR, MINUTE, SECOND, duration } from '../config/quantities.ts';
import type { Args } from './args.ts';
import type { Command } from './command.ts';
import { CLIENT_NODE_MIN, EXIT } from './command.ts';
import { UsageError } from './options.ts';
import type { Posting } from './sending.ts';
import { Sending } from './sending.ts';
import type { CliIo } from './io.ts';
import { pushLines } from './pushLines.ts';
import { REMOTE_OPTIONS, clientFor, remoteOf } from './remote.ts';
import { exitOf, outcomeJson, outcomeLine, refusedTeller } from './report.ts';
import { openSpool, spoolOption } from './spoolPlace.ts';
import { paintFor, printable } from './style.ts';
import { exitOfWait, tellWaited, waitFor, waitOf, waitedJson } from './waiting.ts';
import { eventOf, labelsOf } from './words.ts';

const TOTAL_MS = 30 * SECOND;

export const push: Command = {
  name: 'push',
  summary: 'Post one event, or many from standard input.',
  usage: '[type] [label=value ...]',
  about: [
    'The first word can stand without a name; it is the label type. `push deploy service=api` posts events_to_metrics{service="api",type="deploy"} 1.',
    "Each event has an id (random, unless you set --id) and its own time. If the server doesn't answer, the event is sent again with the same id and time, so a retry never makes a second event. Set your own id (a commit, a job number) to make the whole command repeatable.",
    'With --spool, the event is on disk before it is sent, and stays there until the server has it. Each push first sends the events that wait there, oldest first; so does `oneshot spool flush`. Events that the server refuses are moved to refused/.',
    'With --wait, the command ends once each scraper has the event, or those of --to, whether the server knows them yet or not. A scraper has it when its next scrape proves that it read the last one, so wait for two scrape intervals at least.',
    'With --stdin, each line is one event as JSON: {"name":"deploys","labels":{"env":"prod"},"value":1,"timestamp":"2026-11-24T12:00:00Z","id":"a1"}, with all fields optional. Lines are sent as they are, and the server checks them. Labels on the command line are added to each event.',
  ],
  options: {
    metric: {
      type: { ...text(), placeholder: '<name>' },
      short: 'm',
      doc: "The metric name. Default: the server's event.metric (events_to_metrics).",
    },
    value: {
      type: { ...text(), placeholder: '<number>' },
      short: 'v',
      doc: "The sample's value, a float64. Default: 1.",
    },
    time: {
      type: { ...text(), placeholder: '<time>' },
      short: 't',
      doc: 'When it happened: RFC 3339, or Unix seconds or milliseconds. Default: now.',
    },
    id: {
      type: { ...text(), placeholder: '<id>' },
      doc: 'The id of the event. Default: random.',
    },
    stdin: { doc: 'Read events from standard input, one JSON object per line.' },
    'allow-empty': { doc: 'Post an event even if it has no label.' },
    spool: spoolOption('nothing is kept'),
    total: {
      type: duration({ min: 1, max: 10 * MINUTE }),
      doc: 'How long to keep trying. Default: 30s; with --stdin, for each event.',
    },
    wait: {
      type: duration({ min: 0, max: 24 * HOUR }),
      alone: '60s',
      doc: 'Wait until the event is delivered, for 60s or for this long.',
    },
    to: {
      type: { ...text(), placeholder: '<scraper>' },
      isMany: true,
      doc: 'With --wait: a scraper that must have the event, or several with commas between. Default: all that have an id of their own.',
    },
    ...REMOTE_OPTIONS,
    quiet: { short: 'q', doc: 'Print nothing on success.' },
    json: { doc: 'Print the result for each event as a JSON object, one per line.' },
  },
  examples: [
    'oneshot push deploy service=api version=1.2.3',
    'oneshot push deploy service=api --id "deploy-$CI_JOB_ID" --spool /var/spool/oneshot',
    'oneshot push deploy service=api --wait=2m --to prometheus-a,prometheus-b',
    'oneshot push --metric backup_bytes host=db1 --value 1.5e9 --time 2026-11-24T03:00:00Z',
    'jq -c \'{labels: {type: "release", tag: .tag_name}, id: .node_id}\' releases.json | oneshot push --stdin',
  ],
  exits: [
    ['0', 'the server has the event on disk, or it is kept in the spool; with --wait: it is delivered'],
    ['1', "the server couldn't be reached in time, and the event was not kept"],
    ['2', 'wrong usage, or a line of standard input is not an event, or an event has no label'],
    ['3', 'the server refused the event because it is invalid'],
    ['4', 'wrong address or credentials; with --spool, the event is kept anyway'],
    ['5', 'with --wait: the event is stored, or in the spool, but not delivered in time'],
  ],
  nodeMajorMin: CLIENT_NODE_MIN,
  run,
};

async function run(io: CliIo, args: Args): Promise<number> {
  if (args.rest !== undefined)
    throw new UsageError("push doesn't allow anything after --; to run a command, use oneshot run");
  const labels = labelsOf(args.words);
  const posting = postingOf(io, args);
  if (args.on('stdin')) {
    if (posting.delivery !== undefined) throw new UsageError("--wait can't be used with --stdin");
    const alone = ['metric', 'value', 'time', 'id'].find((name) => args.text(name) !== undefined);
    if (alone !== undefined)
      throw new UsageError(`--${alone} can't be used with --stdin; set it in each line`);
    return pushLines(io, args, posting, labels);
  }
  const event = posting.seal(
    eventOf({
      labels,
      name: args.text('metric'),
      value: args.text('value'),
      time: args.text('time'),
      id: args.text('id'),
    }),
  );
  if (!args.on('allow-empty')) checkLabels(args.words);
  const outcome = await posting.sending.send(event, posting.budget);
  // Before it waits: whoever ends it then knows the id to ask for.
  if (outcome.kind !== 'accepted') {
    io.stderr.write(`oneshot push: ${outcomeLine(event.id, outcome, paintFor(io.stderr, io.env))}\n`);
  } else if (!args.on('json') && !args.on('quiet')) {
    io.stdout.write(`${outcomeLine(event.id, outcome, paintFor(io.stdout, io.env))}\n`);
  }
  const waited = outcome.kind === 'accepted' ? await waitFor(event, posting) : undefined;
  if (args.on('json'))
    io.stdout.write(`${JSON.stringify({ ...outcomeJson(event.id, outcome), ...waitedJson(waited) })}\n`);
  if (waited !== undefined) tellWaited(io, args, event.id, waited);
  if (posting.delivery !== undefined && exitOf(outcome) === EXIT.ok) return exitOfWait(waited);
  return exitOf(outcome);
}

/** In CI, a variable that isn't set leaves an event that says nothing. Throws a UsageError. */
function checkLabels(words: readonly string[]): void {
  const [first] = words;
  if (first === '')
    throw new UsageError(
      'the first word, the label type, is empty; is a variable not set? Give it a value, or add --allow-empty if you mean it',
    );
  if (words.every((word) => word.indexOf('=') === word.length - 1 && word !== ''))
    throw new UsageError(
      'the event has no labels; is a variable not set? Write for example oneshot push deploy service=api, or add --allow-empty if you mean it',
    );
}

function postingOf(io: CliIo, args: Args): Posting {
  const wait = waitOf(args);
  const remote = remoteOf(args);
  const totalMs = args.number('total') ?? TOTAL_MS;
  const paint = paintFor(io.stderr, io.env);
  const client = clientFor(io, remote, { totalMs }, ({ attempt, delayMs, message }) => {
    if (args.on('quiet')) return;
    const line = `attempt ${attempt}: ${printable(message)}; trying again in ${(delayMs / 1000).toFixed(1)} s`;
    io.stderr.write(`oneshot push: ${paint('dim', line)}\n`);
  });
  const folder = args.text('spool');
  const spool = folder === undefined ? undefined : openSpool(io, folder, remote, totalMs);
  return {
    seal: (event) => client.seal(event),
    sealJson: (json, labels) => client.sealJson(json, labels),
    sending: new Sending(client, spool, refusedTeller(io, 'push')),
    budget: { elapsed: io.elapsed, totalMs },
    delivery: wait === undefined ? undefined : (event) => client.delivery(event, wait),
  };
}
