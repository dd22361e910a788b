import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { event, inLog } from '../../test/golden/entries.ts';
import { keyOf, parseSamples } from '../../test/support/strictParser.ts';
import { collapseLast } from '../delivery/collapse.ts';
import type { Entry } from '../core/entry.ts';
import { Share } from '../core/memory.ts';
import type { FamilyGroup } from './families.ts';
import { negotiate } from './negotiate.ts';
import { FORMATS, MEDIA, joined, render, whole } from '../../test/support/rendered.ts';
import { Renderer } from './render.ts';
import type { Run } from '../core/run.ts';
import { runOf } from '../core/run.ts';
import { anyLog } from '../../test/support/anyLog.ts';

describe('runs', () => {
  /** A run that others get, too, and how often somebody looked at its entries. */
  function sharedRun(entries: readonly Entry[], bytes = 0): Run & { looks: number; readonly bytes: number } {
    return {
      length: entries.length,
      bytes,
      isShared: true,
      looks: 0,
      entries() {
        this.looks += 1;
        return entries;
      },
    };
  }

  test.each(FORMATS)('make the body that their entries make, families together: $contentType', (format) => {
    fc.assert(
      fc.property(
        anyLog,
        fc.array(fc.nat(3), { minLength: 30, maxLength: 30 }),
        fc.boolean(),
        (log, cuts, timed) => {
          // A series stands in one run only: as delivery has it.
          const entries = timed ? log : collapseLast(log);
          const series = [...new Set(entries.map((entry) => entry.series))];
          const runs = [0, 1, 2, 3].map((n) =>
            sharedRun(entries.filter((entry) => cuts[series.indexOf(entry.series)] === n)),
          );
          const body = joined(whole(new Renderer(new Share(Infinity)).render(format, runs, [], { timed })));
          const inOrder = runs.flatMap((run) => run.entries());
          expect(body.equals(render(format, inOrder, [], { timed }))).toBe(true);
        },
      ),
    );
  });

  test('that are shared are looked at once for each way to show them, of which the last two are kept', () => {
    const renderer = new Renderer(new Share(Infinity));
    const run = sharedRun(inLog(event('a', { b: 'x' }), event('a', { b: 'y' })));
    const made = (media: string, timed: boolean, without: readonly string[] = []) => {
      const pieces = whole(renderer.render(negotiate(media), [run], [], { timed, without }));
      return pieces.find(({ isShared }) => isShared)?.bytes;
    };
    const text = made(MEDIA.text, false);
    expect(made(MEDIA.text, false)).toBe(text);
    const protobuf = made(MEDIA.protobuf, true);
    expect(made(MEDIA.protobuf, true)).toBe(protobuf);
    expect(run.looks).toBe(2);
    made(MEDIA.openmetrics, true);
    expect(made(MEDIA.protobuf, true)).toBe(protobuf);
    expect(run.looks).toBe(3);
    expect(made(MEDIA.text, false)).not.toBe(text);
    expect(run.looks).toBe(4);
    const withoutPod = made(MEDIA.text, false, ['pod']);
    expect(withoutPod?.length).toBeGreaterThan(text?.length ?? 0);
    expect(made(MEDIA.text, false, ['pod'])).toBe(withoutPod);
    expect(run.looks).toBe(5);
  });

  test.each(FORMATS)('made ahead are what a body has of them, byte for byte: $contentType', (format) => {
    fc.assert(
      fc.property(anyLog, fc.boolean(), fc.subarray(['a_b', 'instance', 'pod']), (log, timed, without) => {
        const run = sharedRun(timed ? log : collapseLast(log));
        const renderer = new Renderer(new Share(Infinity));
        const shown = { timed, without, escaping: format.escaping };
        const made = renderer.ahead(run, format.kind, shown);
        const pieces = whole(renderer.render(format, [run], [], shown));
        expect(run.looks).toBe(1);
        expect(pieces.filter(({ isShared }) => isShared)).toEqual(made);
        const anew = whole(new Renderer(new Share(Infinity)).render(format, [run], [], shown));
        expect(joined(pieces).equals(joined(anew))).toBe(true);
        expect(renderer.ahead(run, format.kind, shown)).toEqual([]);
      }),
    );
  });

  test('are made ahead where there is room, if they are shared, of few families, and lack a way', () => {
    const share = new Share(1_000);
    const renderer = new Renderer(share);
    const shown = { timed: false, without: [], escaping: 'underscores' } as const;
    const small = sharedRun(inLog(event('a', { b: 'x'.repeat(200) })), 210);
    const long = { ...small, bytes: 438 };
    expect(renderer.ahead(long, 'text', shown)).toBeUndefined();
    expect([long.looks, share.held]).toEqual([0, 0]);
    expect(renderer.ahead(small, 'text', shown)).toHaveLength(1);
    expect(renderer.ahead({ ...sharedRun(inLog(event('a'))), isShared: false }, 'text', shown)).toEqual([]);
    const scattered = sharedRun(inLog(...Array.from({ length: 65 }, (_, n) => event(`m${n}`))));
    for (let i = 0; i < 3; i += 1) expect(renderer.ahead(scattered, 'text', shown)).toEqual([]);
    expect(scattered.looks).toBe(1);
    const large = sharedRun(inLog(event('a', { b: 'x'.repeat(400) })));
    expect(renderer.ahead(large, 'text', shown)).toBeUndefined();
    expect(renderer.ahead(small, 'text', { ...shown, timed: true })).toHaveLength(1);
    expect(renderer.ahead(small, 'protobuf', shown)).toEqual([]);
    expect(share.held).toBeLessThanOrEqual(1_000);
  });

  test('of very many families are kept nowhere, either: their pieces are small', () => {
    const renderer = new Renderer(new Share(Infinity));
    const run = (families: number) =>
      sharedRun(inLog(...Array.from({ length: families }, (_, n) => event(`m${n}`))));
    for (const [families, looks] of [
      [64, 1],
      [65, 3],
    ] as const) {
      const each = run(families);
      for (let i = 0; i < 3; i += 1) {
        const pieces = whole(renderer.render(negotiate(undefined), [each], [], { timed: false }));
        expect(pieces.filter(({ isShared }) => isShared)).toHaveLength(families === 64 ? 64 : 0);
      }
      expect(each.looks).toBe(looks);
    }
  });

  test('are made in steps of some hundred entries, and timed, none of which parts a series', () => {
    const count = 1_300;
    const log = inLog(...Array.from({ length: count }, (_, n) => event('m', { s: String(n % 3) })));
    const steps = new Renderer(new Share(Infinity)).render(negotiate(MEDIA.text), [runOf(log)], [], {
      timed: true,
    });
    let stops = 0;
    for (;;) {
      const step = steps.next();
      if (step.done !== true) {
        stops += 1;
        continue;
      }
      const samples = parseSamples(joined(step.value).toString());
      expect(samples).toHaveLength(count);
      const order = samples.map((sample) => keyOf(sample));
      expect(order.filter((key, n) => key !== order[n - 1])).toHaveLength(3);
      break;
    }
    // The first part ends with the second series, and not after 500.
    expect(stops).toBe(2);
    const distinct = inLog(...Array.from({ length: count }, (_, n) => event(`m${n % 2}`, { n: String(n) })));
    const body = render(negotiate(MEDIA.text), distinct, [], { timed: false }).toString();
    expect(parseSamples(body)).toHaveLength(count);
    expect(body.match(/# TYPE/g)).toHaveLength(2);
  });

  test('that are shared are one piece for each family, whatever their length', () => {
    const log = inLog(...Array.from({ length: 600 }, (_, n) => event('m', { n: String(n) })));
    const pieces = whole(
      new Renderer(new Share(Infinity)).render(negotiate(MEDIA.text), [sharedRun(log)], [], { timed: false }),
    );
    expect(pieces.filter(({ isShared }) => isShared)).toHaveLength(1);
  });

  test('that are not shared are kept nowhere', () => {
    const renderer = new Renderer(new Share(Infinity));
    const run = { ...sharedRun(inLog(event('a'))), isShared: false };
    for (let i = 0; i < 3; i += 1) whole(renderer.render(negotiate(undefined), [run], [], { timed: false }));
    expect(run.looks).toBe(3);
  });
});

describe("groups of the server's own families", () => {
  const FAMILY = { help: 'Helps.', samples: [] };
  const group = (name: string, isShared = true): FamilyGroup => ({
    families: [{ ...FAMILY, name, type: 'counter', samples: [{ name, labels: [], value: 1 }] }],
    isShared,
  });

  test.each(FORMATS)('stand in the order in which they come: $contentType', (format) => {
    const groups = [group('one_total', false), group('two_total')];
    const apart = whole(new Renderer(new Share(Infinity)).render(format, [], groups, { timed: false }));
    const families = groups.flatMap((each) => each.families);
    expect(joined(apart).equals(render(format, [], families, { timed: false }))).toBe(true);
  });

  test('are made once for each way to show them where they are shared, and only there', () => {
    const renderer = new Renderer(new Share(Infinity));
    const made = (of: FamilyGroup, media: string) =>
      whole(renderer.render(negotiate(media), [], [of], { timed: false }))[0];
    const [shared, own] = [group('a_total'), group('a_total', false)];
    const text = made(shared, MEDIA.text);
    expect(text?.isShared).toBe(true);
    expect(made(shared, MEDIA.text)).toBe(text);
    expect(made(shared, MEDIA.protobuf)?.bytes).not.toEqual(text?.bytes);
    expect(made(own, MEDIA.text)).toEqual({ bytes: text?.bytes, isShared: false });
    expect(made(own, MEDIA.text)).not.toBe(made(own, MEDIA.text));
  });

  test('are made anew where an event has the name that one of them would have', () => {
    const format = negotiate(MEDIA.openmetrics);
    const renderer = new Renderer(new Share(Infinity));
    const shared = group('a_total');
    const body = (...metrics: string[]) =>
      joined(
        whole(
          renderer.render(format, [runOf(inLog(...metrics.map((metric) => event(metric))))], [shared], {
            timed: false,
          }),
        ),
      ).toString();
    for (let i = 0; i < 2; i += 1) {
      expect(body('b')).toContain('# TYPE a counter\n');
      expect(body('a')).toContain('# TYPE a_total unknown\n');
    }
  });
});
