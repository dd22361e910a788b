import { randomUUID } from 'node:crypto';
import type { Client } from './client.ts';

/** So many scrapes clear away what an earlier test left. */
const DRAIN_SCRAPES_MAX = 20;

/**
 * Posts `type=test` with a message, and sees it in one scrape of a new scraper, then in none. The scraper is forgotten at the
 * end, so that nothing waits for it. Throws an Error that says what was seen instead. Resolves with what was done, in words.
 */
export async function deliver(client: Client, message: string): Promise<string> {
  const scraper = `test-${randomUUID()}`;
  const seen = async () => occurrences(await client.scrape(scraper), message);
  try {
    await drain(seen);
    await client.post({ type: 'test', message });
    const first = await seen();
    if (first !== 1) throw new Error(`the event is in the next scrape ${first} times, not once`);
    const second = await seen();
    if (second !== 0) throw new Error(`the event is in a second scrape, too, ${second} times`);
  } catch (error) {
    // What went wrong first is what to say.
    await client.forget(scraper).catch(() => undefined);
    throw error;
  }
  await client.forget(scraper);
  return `posted type=test message=${message}; it was in one scrape, once, and not in the next`;
}

/** A new scraper also gets the last minutes' events. */
async function drain(seen: () => Promise<number>): Promise<void> {
  for (let scrapes = 0; scrapes < DRAIN_SCRAPES_MAX; scrapes += 1) {
    if ((await seen()) === 0) return;
  }
  throw new Error(`events of other tests come without end: ${DRAIN_SCRAPES_MAX} scrapes had one`);
}

/** The samples with just these two labels, of whatever metric. */
function occurrences(exposition: string, message: string): number {
  const labels = `{message=${JSON.stringify(message)},type="test"} `;
  return exposition.split('\n').filter((line) => !line.startsWith('#') && line.includes(labels)).length;
}
