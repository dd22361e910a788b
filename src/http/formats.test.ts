import { expect, it } from 'vitest';
import { negotiate } from '../render/negotiate.ts';
import { Formats } from './formats.ts';

it('tells the format of each Accept, as often as it comes', () => {
  const formats = new Formats();
  const accepts = [
    'text/plain;version=1.0.0',
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,*/*;q=0.2',
    '',
    `text/plain;version=1.0.0;x=${'y'.repeat(2_000)}`,
    ...Array.from({ length: 100 }, (_, i) => `text/plain;version=1.0.0;n=${i}`),
  ];
  for (const accept of [...accepts, ...accepts]) expect(formats.of(accept)).toEqual(negotiate(accept));
  expect(formats.of(undefined)).toEqual(negotiate(undefined));
  expect(formats.of(accepts[0])).toBe(formats.of(accepts[0]));
});
