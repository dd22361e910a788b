import type { MediaRange } from './accept.ts';
import { parseAccept } from './accept.ts';
import type { Escaping } from './escape.ts';

/** What a scrape is answered in. */
export interface Format {
  readonly kind: 'protobuf' | 'openmetrics' | 'text';
  /** Protobuf has none. */
  readonly version: '1.0.0' | '0.0.4' | '0.0.1' | undefined;
  readonly escaping: Escaping;
  /** The header that says all this. */
  readonly contentType: string;
}

interface Offered {
  readonly kind: Format['kind'];
  readonly version: Format['version'];
  readonly type: string;
  readonly subtype: string;
  /** What a range must say, or leave out where `unsaid` is so. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Whether a range without those parameters means this. */
  readonly unsaid: boolean;
  readonly contentType: string;
}

const text = (version: '1.0.0' | '0.0.4'): Offered => ({
  kind: 'text',
  version,
  type: 'text',
  subtype: 'plain',
  parameters: { version },
  unsaid: version === '0.0.4',
  contentType: `text/plain; version=${version}; charset=utf-8`,
});

const openMetrics = (version: '1.0.0' | '0.0.1'): Offered => ({
  kind: 'openmetrics',
  version,
  type: 'application',
  subtype: 'openmetrics-text',
  parameters: { version },
  unsaid: version === '0.0.1',
  contentType: `application/openmetrics-text; version=${version}; charset=utf-8`,
});

const PROTO = 'io.prometheus.client.MetricFamily';
const PROTOBUF: Offered = {
  kind: 'protobuf',
  version: undefined,
  type: 'application',
  subtype: 'vnd.google.protobuf',
  parameters: { proto: PROTO, encoding: 'delimited' },
  unsaid: false,
  contentType: `application/vnd.google.protobuf; proto=${PROTO}; encoding=delimited`,
};

/** In the order in which they are given to one who takes any: first what a person can read. */
const OFFERED: readonly [Offered, ...Offered[]] = [
  text('0.0.4'),
  openMetrics('1.0.0'),
  openMetrics('0.0.1'),
  text('1.0.0'),
  PROTOBUF,
];

const ESCAPINGS: ReadonlySet<string> = new Set(['allow-utf-8', 'underscores', 'dots', 'values']);

/**
 * Chooses the format for a scrape by its Accept header: https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1
 * For each format the most specific range counts; the format of the highest weight wins; of several, the one whose range is no wildcard,
 * then whose range stands first, as with Prometheus' own exporters. Where nothing fits: text 0.0.4, never a refusal, which would be
 * a failed scrape.
 */
export function negotiate(accept: string | undefined): Format {
  const ranges = parseAccept(accept ?? '');
  let best: Choice | undefined;
  for (const offered of OFFERED) {
    const choice = choiceOf(offered, ranges);
    if (choice !== undefined && choice.range.weight > 0 && (best === undefined || isBetter(choice, best)))
      best = choice;
  }
  return formatOf(best?.offered ?? OFFERED[0], best?.range.parameters.get('escaping'));
}

interface Choice {
  readonly offered: Offered;
  readonly range: MediaRange;
  readonly specificity: number;
  /** The range's place in the header. */
  readonly place: number;
}

/** The range that counts for a format: the most specific one, of several the most wanted. */
function choiceOf(offered: Offered, ranges: readonly MediaRange[]): Choice | undefined {
  let best: Choice | undefined;
  for (const [place, range] of ranges.entries()) {
    const specificity = specificityOf(range, offered);
    if (specificity === undefined || (best !== undefined && specificity < best.specificity)) continue;
    if (best === undefined || specificity > best.specificity || range.weight > best.range.weight)
      best = { offered, range, specificity, place };
  }
  return best;
}

/** How precisely a range names a format; undefined where it doesn't. Parameters that no format knows are passed over. */
function specificityOf(range: MediaRange, offered: Offered): number | undefined {
  if (range.type === '*') return 0;
  if (range.type !== offered.type) return undefined;
  if (range.subtype === '*') return 1;
  if (range.subtype !== offered.subtype) return undefined;
  let specificity = 2;
  for (const [name, wanted] of Object.entries(offered.parameters)) {
    const said = range.parameters.get(name);
    if (said === undefined ? !offered.unsaid : said !== wanted) return undefined;
    if (said !== undefined) specificity++;
  }
  return specificity;
}

function isBetter(choice: Choice, best: Choice): boolean {
  if (choice.range.weight !== best.range.weight) return choice.range.weight > best.range.weight;
  const isNamed = (each: Choice) => Number(each.specificity > 0) + Number(each.specificity > 1);
  if (isNamed(choice) !== isNamed(best)) return isNamed(choice) > isNamed(best);
  return choice.place < best.place;
}

function formatOf({ kind, version, contentType }: Offered, asked: string | undefined): Format {
  if (asked === undefined || !ESCAPINGS.has(asked))
    return { kind, version, escaping: 'underscores', contentType };
  return { kind, version, escaping: asked as Escaping, contentType: `${contentType}; escaping=${asked}` };
}
