import { describe, expect, test } from 'vitest';
import type { Evidence, Verdict } from './settle.ts';
import type { Mode, Phase, Position } from '../core/position.ts';
import { positionAt } from '../core/position.ts';
import { judge, evidenceOfEnd, settle } from './settle.ts';
import { fatesOf } from '../core/fate.ts';
import { millis } from '../core/millis.ts';
import { offset } from '../core/offset.ts';
import { pastFrom } from '../core/past.ts';
import { NONE, range } from '../core/range.ts';

type Row = readonly [row: string, mode: Mode, phase: Phase, evidence: Evidence, verdict: Verdict];

/** The table of the design, row by row, written anew so that a slip in the other one shows. */
const ROWS: readonly Row[] = [
  ['the next request arrives on the same socket', 'timed', 'flushed', 'nextRequest', 'confirm'],
  ['the next request arrives on the same socket', 'untimed', 'flushed', 'nextRequest', 'confirm'],
  ['closed before finish', 'timed', 'sending', 'closed', 'return'],
  ['closed before finish', 'untimed', 'sending', 'closed', 'return'],
  ['closed before finish', 'timed', 'sending', 'cleanEnd', 'return'],
  ['closed before finish', 'untimed', 'sending', 'cleanEnd', 'return'],
  ['closed before finish', 'timed', 'sending', 'doubtfulEnd', 'return'],
  ['closed before finish', 'untimed', 'sending', 'doubtfulEnd', 'return'],
  ['reset', 'timed', 'sending', 'reset', 'return'],
  ['reset', 'untimed', 'sending', 'reset', 'return'],
  ['reset', 'timed', 'flushed', 'reset', 'return'],
  ['reset, perhaps by somebody in between', 'untimed', 'flushed', 'reset', 'returnDoubtful'],
  ['clean FIN after finish, far from the timeout', 'timed', 'flushed', 'cleanEnd', 'againOnce'],
  ['clean FIN after finish, far from the timeout', 'untimed', 'flushed', 'cleanEnd', 'confirmUnproven'],
  ['clean FIN after finish, close to the timeout', 'timed', 'flushed', 'doubtfulEnd', 'return'],
  ['clean FIN after finish, close to the timeout', 'untimed', 'flushed', 'doubtfulEnd', 'returnDoubtful'],
  ['the scraper comes on another socket', 'timed', 'flushed', 'elsewhere', 'again'],
  ['the scraper comes on another socket', 'timed', 'sending', 'elsewhere', 'return'],
  ['the scraper comes on another socket', 'untimed', 'flushed', 'elsewhere', 'hold'],
  ['the scraper comes on another socket', 'untimed', 'sending', 'elsewhere', 'hold'],
  ['none until the lease ends, flushed', 'timed', 'flushed', 'leaseOver', 'again'],
  ['none until the lease ends, flushed', 'untimed', 'flushed', 'leaseOver', 'confirmUnproven'],
  ['a restart, flushed', 'timed', 'flushed', 'restart', 'again'],
  ['a restart, flushed', 'untimed', 'flushed', 'restart', 'confirmUnproven'],
  ['none until the lease ends, not flushed', 'timed', 'sending', 'leaseOver', 'return'],
  ['none until the lease ends, not flushed', 'untimed', 'sending', 'leaseOver', 'return'],
  ['a restart, not flushed', 'timed', 'sending', 'restart', 'again'],
  ['a restart, flushed but not recorded perhaps', 'untimed', 'sending', 'restart', 'returnDoubtful'],
  ['closed by this side, which says nothing of the client', 'timed', 'flushed', 'closed', 'again'],
  ['closed by this side, which says nothing of the client', 'untimed', 'flushed', 'closed', 'hold'],
  ['a request sent ahead of the response', 'timed', 'sending', 'nextRequest', 'again'],
  ['a request sent ahead of the response', 'untimed', 'sending', 'nextRequest', 'hold'],
  ...(['sending', 'flushed'] as const).flatMap((phase): Row[] => [
    ["a sink's receiver says that it has stored it", 'timed', phase, 'stored', 'confirm'],
    ["a sink's receiver refuses it for good", 'timed', phase, 'refused', 'dropAlone'],
    ["a sink's receiver lacks it, and refuses it", 'timed', phase, 'missing', 'drop'],
    ["a sink's receiver can't take it now", 'timed', phase, 'notNow', 'again'],
    ['what only sinks see, of what no sink gets', 'untimed', phase, 'stored', 'hold'],
    ['what only sinks see, of what no sink gets', 'untimed', phase, 'refused', 'hold'],
    ['what only sinks see, of what no sink gets', 'untimed', phase, 'missing', 'hold'],
    ['what only sinks see, of what no sink gets', 'untimed', phase, 'notNow', 'hold'],
  ]),
];

const OF_SINKS = new Set<Evidence>(['stored', 'refused', 'missing', 'notNow']);

describe('settling (G2, G3)', () => {
  test.each(ROWS)('%s: %s, %s, %s -> %s', (_row, mode, phase, evidence, verdict) => {
    expect(judge(mode, phase, evidence)).toBe(verdict);
  });

  test('has a row here for every case there is', () => {
    const cases = new Set(ROWS.map(([, mode, phase, evidence]) => `${mode} ${phase} ${evidence}`));
    expect(cases.size).toBe(2 * 2 * 12);
  });

  const unsent = ROWS.filter(([, , phase, evidence]) => phase === 'sending' && !OF_SINKS.has(evidence));
  test.each(unsent)('never confirms what was not flushed: %s: %s, %s, %s', (_row, mode, phase, evidence) => {
    expect(judge(mode, phase, evidence)).not.toMatch(/^confirm/);
  });

  const untimed = ROWS.filter(([, mode, phase]) => mode === 'untimed' && phase === 'flushed');
  test.each(untimed)(
    'counts each judgement of an untimed response that is not proved: %s: %s, %s, %s',
    (_row, mode, phase, evidence) => {
      const proved = evidence === 'nextRequest' ? ['confirm'] : ['confirmUnproven', 'returnDoubtful', 'hold'];
      expect(proved).toContain(judge(mode, phase, evidence));
    },
  );
});

const REQUESTED = 1_700_000_000_000;
const judgedAfter = (ms: number, timeoutMs?: number) =>
  evidenceOfEnd(millis(REQUESTED), millis(REQUESTED + ms), timeoutMs);

describe("a client's end of the connection", () => {
  test.each([0, 5, 10_000, 86_400_000])(
    'is taken at its word where no timeout was announced, after %i ms',
    (ms) => {
      expect(judgedAfter(ms)).toBe('cleanEnd');
    },
  );

  test.each([
    [10_000, 9000],
    [10_000, 10_000],
    [10_000, 11_000],
    [1000, 500],
    [1000, 1500],
    [100, 0],
    [100, 600],
  ])('is doubted close to a timeout of %i ms, after %i ms', (timeoutMs, ms) => {
    expect(judgedAfter(ms, timeoutMs)).toBe('doubtfulEnd');
  });

  test.each([
    [10_000, 3],
    [10_000, 8999],
    [10_000, 11_001],
    [1000, 499],
    [1000, 1501],
    [100, 601],
    [10_000, 60_000],
  ])('is believed far from a timeout of %i ms, after %i ms', (timeoutMs, ms) => {
    expect(judgedAfter(ms, timeoutMs)).toBe('cleanEnd');
  });
});

test.each([
  ['', NONE, { state: 'dropped', reason: 'refused', count: 1 }],
  [', and may have had before', range(offset(4), offset(5)), { state: 'deliveredWithoutProof', count: 1 }],
])('what a sink refuses alone%s is remembered so', (_, perhapsTimed, fate) => {
  const ranges = range(offset(4), offset(5));
  const position: Position = {
    ...positionAt(offset(5)),
    past: pastFrom(offset(0)),
    perhapsTimed,
    offers: [{ id: 1, mode: 'timed', phase: 'sending', ranges, collapsed: 0, requestedAt: 0 }],
  };
  expect(fatesOf(settle(position, 1, 'refused').position, ranges)).toEqual([fate]);
});
