/** Makes the bodies that the benches post. */

const BATCH = 1_000;

/** So many events, one JSON object a line, each a series of its own. */
export function lines(from: number, count: number): string {
  let text = '';
  for (let n = from; n < from + count; n += 1)
    text += `{"labels":{"type":"deploy","service":"api","n":"${n}"}}\n`;
  return text;
}

export const NDJSON = 'application/x-ndjson';

/** Posts so many events, each a series of its own, a thousand at a time. Throws where one is not taken. */
export async function fill(url: string, count: number, from = 0): Promise<void> {
  for (let n = from; n < from + count; n += BATCH) {
    const body = lines(n, Math.min(BATCH, from + count - n));
    const answer = await fetch(`${url}/event`, { method: 'POST', body, headers: { 'Content-Type': NDJSON } });
    if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
    await answer.arrayBuffer();
  }
}
