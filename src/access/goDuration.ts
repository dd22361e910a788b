const UNIT_MS: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

const PART = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gy;

/**
 * A duration in ms, as the exporters read it: `1.5s`, `1h30m`, `-1s`; a bare number counts nanoseconds, of which only `0` makes sense.
 * Undefined for anything else. Source: https://pkg.go.dev/time#ParseDuration
 */
export function parseGoDuration(text: string): number | undefined {
  const sign = text.startsWith('-') ? -1 : 1;
  const rest = text.replace(/^[+-]/, '');
  if (/^\d+$/.test(rest)) return sign * Number(rest) * 1e-6;
  let total = 0;
  let end = 0;
  for (const match of rest.matchAll(PART)) {
    total += Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? 0);
    end = match.index + match[0].length;
  }
  return rest !== '' && end === rest.length ? sign * total : undefined;
}
