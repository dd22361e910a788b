import { describe, expect, it, vi } from 'vitest';
import type { Prepared } from './emptyAnswers.ts';
import { EmptyAnswers, prepared } from './emptyAnswers.ts';

const METRICS = [{ families: [], isShared: true }];
const answer = (text: string): Prepared => prepared({}, [Buffer.from(text)]);
/** Begins at once. */
const making = (text: string) =>
  vi.fn(async (begin: () => unknown) => {
    begin();
    return answer(text);
  });

describe('answers to scrapes of nothing', () => {
  it('are made once for each way of asking', async () => {
    const answers = new EmptyAnswers(() => METRICS);
    const [text, gzip] = [making('text'), making('gzip')];
    for (let i = 0; i < 3; i += 1) {
      expect(await answers.of('text', text)).toEqual(answer('text'));
      expect(await answers.of('gzip', gzip)).toEqual(answer('gzip'));
    }
    expect(text).toHaveBeenCalledOnce();
    expect(gzip).toHaveBeenCalledOnce();
  });

  it('are made once for all who come while one is made', async () => {
    const answers = new EmptyAnswers(() => METRICS);
    const make = making('text');
    await Promise.all(Array.from({ length: 3 }, async () => answers.of('text', make)));
    expect(make).toHaveBeenCalledOnce();
  });

  it('are made anew for other metrics, and what was begun for the ones before is not kept for them', async () => {
    let metrics = METRICS;
    const answers = new EmptyAnswers(() => metrics);
    const { promise, resolve } = Promise.withResolvers<Prepared>();
    const late = answers.of('text', (begin) => {
      begin();
      return promise;
    });
    metrics = [...METRICS];
    const make = making('new');
    expect(await answers.of('text', make)).toEqual(answer('new'));
    resolve(answer('old'));
    expect(await late).toEqual(answer('old'));
    expect(await answers.of('text', make)).toEqual(answer('new'));
    expect(make).toHaveBeenCalledOnce();
  });

  it('that wait for their turn are one for each way, of the metrics of when it comes', async () => {
    let metrics = METRICS;
    const answers = new EmptyAnswers(() => metrics);
    const turn = Promise.withResolvers<undefined>();
    const make = vi.fn(async (begin: () => unknown) => {
      await turn.promise;
      return answer(begin() === METRICS ? 'old' : 'new');
    });
    const first = answers.of('text', make);
    metrics = [...METRICS];
    const second = answers.of('text', make);
    turn.resolve(undefined);
    expect([await first, await second]).toEqual([answer('new'), answer('new')]);
    expect(make).toHaveBeenCalledOnce();
  });

  it('are made anew where making one failed', async () => {
    const answers = new EmptyAnswers(() => METRICS);
    const failed = answers.of('text', () => Promise.reject(new Error('full')));
    await expect(failed).rejects.toThrow('full');
    expect(await answers.of('text', making('text'))).toEqual(answer('text'));
  });

  it('are kept for four ways', async () => {
    const answers = new EmptyAnswers(() => METRICS);
    const make = making('x');
    for (const way of ['a', 'b', 'c', 'd', 'e', 'e', 'd', 'c', 'b']) await answers.of(way, make);
    expect(make).toHaveBeenCalledTimes(5);
    await answers.of('a', make);
    expect(make).toHaveBeenCalledTimes(6);
  });
});

it.each([10, 15 * 1024, 15 * 1024 + 1])('a prepared body of %i bytes is those bytes', (length) => {
  const bytes = Buffer.from(Array.from({ length }, (_, i) => i % 256));
  const { headers, body } = prepared({ A: 'b' }, [bytes.subarray(0, 5), bytes.subarray(5)]);
  expect(headers).toEqual({ A: 'b', 'Content-Length': length });
  expect(typeof body === 'string' ? Buffer.from(body, 'latin1') : body).toEqual(bytes);
});
