import { markdownTable } from '../src/config/describe.ts';
import type {
  Conditions,
  FromSource,
  LabelSource,
  MappingSource,
  ShapeSource,
  TimeSource,
} from '../src/wire/in/mapping/language.ts';
import { MAPPING_LIMITS, OTHER } from '../src/wire/in/mapping/language.ts';
import type { Preset } from '../src/wire/in/mapping/presets/preset.ts';
import { PRESETS } from '../src/wire/in/mapping/presets/presets.ts';
import { TRANSFORM_MEANINGS } from '../src/wire/in/mapping/transforms.ts';

const INTRO = `# What each webhook stores

<!-- Generated from src/wire/in/mapping/presets. Change a preset there, not here. -->

The labels that the ready-made webhooks give their events, and where each is taken from. How to set them up, and how to change
their labels, is in [webhooks.md](webhooks.md).

A text such as \`/repository/full_name\` is a JSON pointer into the body, and \`digest:\` stands for everything in it. A label without a value is left out. A value is cut
after ${MAPPING_LIMITS.valueCharactersDefault} characters, unless a table says otherwise. A body of no kind in the table is answered 200 and stores nothing.

## Names

Labels of alerts and keys of tags have the names that their sender chose. Prometheus takes letters, digits and \`_\`, so the others are
rewritten:

1. Each other character becomes \`_\`, and a name that begins with a digit gets a \`_\` before it.
2. Several \`_\` at the beginning become one, since names that begin with \`__\` are Prometheus' own: \`环境\` becomes \`_\`.
3. A name that the webhook gives already (the tables below, and the URL) gets a prefix: \`type\` becomes \`alert_type\`.
4. Where two names of one event become the same, the one that is already written that way keeps it. Each other gets \`_\` and 8 digits that
   depend on its own spelling alone: beside \`host_name\`, \`host.name\` is always \`host_name_24f5d05c\`, in whatever order they come.

With \`event.names=utf8\` rules 1 and 2 leave such names as they are, but for the \`__\` at the beginning. Of more than
${MAPPING_LIMITS.spreadMax} labels, or of more than \`event.labelsMax\` in all, the last ones by name are left out.
`;

/** The page docs/ingest/webhook-labels.md, formatted as prettier would. */
export function webhookTables(): string {
  const transforms = Object.entries(TRANSFORM_MEANINGS).map(([name, meaning]) => [code(name), meaning]);
  return [
    INTRO,
    ...PRESETS.map((preset) => section(preset)),
    `\n## Transforms\n\n${markdownTable(['Transform', 'What becomes of a text'], transforms)}`,
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
    `Id, among those of ${code(idSpace)}: ${id.map((each) => code(each)).join(', or else ')}`,
    mapping.each === undefined
      ? 'One event for each body'
      : `One event for each item of ${code(mapping.each)}`,
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
    const members = `each member of ${code(from)}, ${code(prefix)} before a name that is taken, at most ${MAPPING_LIMITS.spreadMax}`;
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
  if (allow !== undefined) parts.push(`one of ${allow.join(', ')}, else ${code(OTHER)}`);
  if (fallback !== undefined) parts.push(`else ${code(fallback)}`);
  if (max !== undefined) parts.push(`at most ${max} characters`);
  return parts.join(', ');
}

function timeText(time: TimeSource): string {
  if (typeof time === 'string') return referenceText(time);
  const units = { rfc3339: '', auto: '', s: ' in seconds', ms: ' in milliseconds' };
  const when = conditionTexts(time.when, 'is');
  const where = when.length === 0 ? '' : ` where ${when.join(' and ')}`;
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

/** In code, cut short where it is longer than anybody reads. */
function code(text: string): string {
  const cut = /^0{40,}$/.test(text) ? '0000…' : text;
  return `\`${cut}\``;
}
