import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { millis } from '../../core/millis.ts';
import { readSeries } from '../../core/series.ts';
import { PRESETS } from './senders/senders.ts';
import { tryWebhook } from './tryWebhook.ts';
import { WIDE_RULES } from '../../../test/support/rules.ts';

const RULES = {
  rules: WIDE_RULES,
  eventsMax: 100,
} as const;

/** Names that the presets look for, so that what is made up goes further than to the first condition. */
const NAMES = (
  'alerts labels status startsAt endsAt fingerprint tags text what when time object_kind project object_attributes ref ' +
  'repository full_name action release app metadata involvedObject timestamp reason __proto__ constructor '
).split(' ');
const WORDS = [
  'firing',
  'resolved',
  'push',
  'release',
  'pipeline',
  'success',
  'published',
  'a:b',
  '2026-11-24T12:00:00Z',
  '\n',
];

const leaf = fc.oneof(
  fc.constantFrom(...WORDS),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
);
const { body } = fc.letrec((tie) => ({
  body: fc.oneof({ maxDepth: 4 }, leaf, tie('object'), tie('object'), tie('array')),
  object: fc.dictionary(fc.oneof(fc.constantFrom(...NAMES), fc.string()), tie('body'), { maxKeys: 8 }),
  array: fc.array(tie('body'), { maxLength: 4 }),
}));

describe('any body at all', () => {
  it.each(PRESETS.map(({ name }) => name))(
    'is taken or refused by %s, and what is taken can be shown',
    (name) => {
      fc.assert(
        fc.property(body, fc.constantFrom('push', 'release', 'ping', ''), (document, event) => {
          const sent = {
            body: new TextEncoder().encode(JSON.stringify(document)),
            headers: { 'X-GitHub-Event': event, 'X-GitHub-Delivery': 'd' },
          };
          const { events, refused } = tryWebhook(name, {}, sent, RULES, millis(0));
          for (const { series, value, id = '' } of events) {
            const { labels } = readSeries(series);
            expect(
              labels.filter((label) => label.value === '' || !/^[a-zA-Z_]\w*$/.test(label.name)),
            ).toEqual([]);
            expect(typeof value).toBe('number');
            expect(id.length).toBeLessThan(300);
          }
          for (const error of refused) expect(error).not.toContain('\n');
        }),
        { numRuns: 300 },
      );
    },
  );
});
