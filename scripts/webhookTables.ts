import { markdownTable } from '../src/config/describe.ts';
import { HASHED_UNITS_MAX } from '../src/core/textMap.ts';
import type {
  Conditions,
  FromSource,
  LabelSource,
  MappingSource,
  ShapeSource,
  TimeSource,
} from '../src/read/webhooks/language.ts';
import { MAPPING_LIMITS, OTHER } from '../src/read/webhooks/language.ts';
import type { Preset } from '../src/read/webhooks/senders/sender.ts';
import { PRESETS } from '../src/read/webhooks/senders/senders.ts';
import { TRANSFORM_MEANINGS } from '../src/read/webhooks/transforms.ts';

const INTRO = `# What each webhook stores

<!-- Generated from src/read/webhooks/senders. Change a preset there, not here. -->

The labels that the ready-made webhooks give their events, and where each value comes from. To set them up and change
their labels, see [webhooks.md](webhooks.md).

A text such as \`/repository/full_name\` is a JSON pointer into the body, and \`digest:\` stands for everything in it. Labels without a value are left out. Values are cut
after ${MAPPING_LIMITS.valueCharactersDefault} characters, unless a table says otherwise. A body that matches no kind in the table gets a 200, and nothing is stored.

## Names

Senders choose the names of alert labels and tag keys. Prometheus allows letters, digits and \`_\`, so other names are
rewritten:

1. Every other character becomes \`_\`, and names that begin with a digit get a \`_\` before it.
2. Several \`_\` at the beginning become one, because names that begin with \`__\` are reserved for Prometheus: \`环境\` becomes \`_\`.
3. A name that the webhook already uses (in the tables below, or in the URL) gets a prefix: \`type\` becomes \`alert_type\`.
4. If two names of one event become the same, the one that is already spelled that way keeps it. The others get \`_\` and 8 digits that
   depend only on their own spelling: beside \`host_name\`, \`host.name\` is always \`host_name_24f5d05c\`, in any order.
5. A name longer than \`event.labelNameMax\` is cut to that length, and ends in \`_\` and 8 such digits. A name of more than
   ${HASHED_UNITS_MAX.toLocaleString('en')} characters doesn't become a label.

With \`event.names=utf8\`, rules 1 and 2 change nothing but the \`__\` at the beginning. If there are more than
${MAPPING_LIMITS.spreadMax} labels, or more than \`event.labelsMax\` in total, the last ones by name are left out.
`;

/** The page docs/ingest/webhook-labels.md, formatted as prettier would. */
export function webhookTables(): string {
  const transforms = Object.entries(TRANSFORM_MEANINGS).map(([name, meaning]) => [code(name), meaning]);
  return [
    INTRO,
    ...PRESETS.map((preset) => section(preset)),
    `\n## Transforms\n\n${markdownTable(['Transform', 'Result'], transforms)}`,
  ].join('');
}

function section({ name, path, sender, source, check, shaped, idSpace, mapping }: Preset): string {
  const id = mapping.id === undefined ? [] : [mapping.id].flat();
  const facts = [
    `Path: ${code(`POST ${path}`)}`,
    `Sent by ${sender}: [its documentation](${source})`,
    check.by === 'signature'
      ? `Secret, if one is set: an HMAC with SHA-256 of the body, as ${code(`${check.header}: ${check.prefix}…`)}`
      : `Secret, if one is set: as ${code(`${check.header}: ${check.prefix}…`)}`,
    `Id, unique within ${code(idSpace)}: ${id.map((each) => code(each)).join(', or else ')}`,
    mapping.each === undefined ? 'One event per body' : `One event per item of ${code(mapping.each)}`,
    ...(shaped === undefined ? [] : [shaped]),
  ];
  const list = facts.map((fact) => `- ${fact}.\n`).join('');
  return `\n## ${name}\n\n${list}\n${kindsTable(mapping)}\n${labelsTable(mapping)}`;
}

/** What is said of all kinds stands first. */
function shapesOf({
  kinds = {},
  ...common
}: MappingSource): readonly (readonly [kind: string, shape: ShapeSource])[] {
  return [['all', common], ...Object.entries(kinds).map(([name, shape]) => [code(name), shape] as const)];
}

function kindsTable(mapping: MappingSource): string {
  const rows = shapesOf(mapping).map(([kind, { when, unless, time }]) => {
    const times = time === undefined ? [] : ([time].flat() as readonly TimeSource[]);
    return [
      kind,
      [...conditionTexts(when, 'is'), ...conditionTexts(unless, 'is not')].join('; '),
      times.map((each) => timeText(each)).join(', or else '),
    ];
  });
  const saying = rows.filter(([, when, time]) => when !== '' || time !== '');
  return markdownTable(['Kind', 'When', 'Time'], saying);
}

function labelsTable(mapping: MappingSource): string {
  const rows = shapesOf(mapping).flatMap(([kind, { labels = {}, labelsFrom }]) => {
    const named = Object.entries(labels).map(([name, label]) => [kind, code(name), labelText(label)]);
    if (labelsFrom === undefined) return named;
    const { from, prefix } = labelsFrom;
    const members = `each member of ${code(from)}, ${code(prefix)} before a name that is already used, at most ${MAPPING_LIMITS.spreadMax}`;
    return [...named, [kind, 'any', members]];
  });
  return markdownTable(['Kind', 'Label', 'Value'], rows);
}

function conditionTexts(conditions: Conditions = {}, verb: string): string[] {
  return Object.entries(conditions).map(
    ([reference, texts]) =>
      `${referenceText(reference)} ${verb} ${texts.map((text) => (text === null ? 'absent' : code(text))).join(' or ')}`,
  );
}

function labelText(label: LabelSource): string {
  if (typeof label === 'string') return referenceText(label);
  if ('const' in label) return `always ${code(label.const)}`;
  const { from, as = [], allow, default: fallback, max } = label;
  const parts = [fromText(from)];
  if (as.length > 0) parts.push(as.map((each) => code(each)).join(', '));
  if (allow !== undefined) parts.push(`one of ${allow.join(', ')}, otherwise ${code(OTHER)}`);
  if (fallback !== undefined) parts.push(`otherwise ${code(fallback)}`);
  if (max !== undefined) parts.push(`at most ${max} characters`);
  return parts.join(', ');
}

function timeText(time: TimeSource): string {
  if (typeof time === 'string') return referenceText(time);
  const units = { rfc3339: '', auto: '', s: ' in seconds', ms: ' in milliseconds' };
  const when = conditionTexts(time.when, 'is');
  const where = when.length === 0 ? '' : ` if ${when.join(' and ')}`;
  return referenceText(time.from) + units[time.unit ?? 'auto'] + where;
}

function fromText(from: FromSource): string {
  return [from]
    .flat()
    .map((each) => referenceText(each))
    .join(' or else ');
}

function referenceText(reference: string): string {
  return reference.startsWith('header:')
    ? `the header ${code(reference.slice('header:'.length))}`
    : code(reference);
}

/** In code. Zeros that nobody would count, git's name of nothing, are counted. */
function code(text: string): string {
  return /^0{40,}$/.test(text) ? `${text.length} zeros` : `\`${text}\``;
}
