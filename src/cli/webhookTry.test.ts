import { describe, expect, it } from 'vitest';
import { runCommandAlone } from '../../test/support/cli.ts';
import { RefusedError } from '../core/errors.ts';
import { millis } from '../core/millis.ts';
import type { SeriesText } from '../core/series.ts';
import type { Tried, TryWebhook } from './webhookTry.ts';
import { webhookTryOf } from './webhookTry.ts';

const EVENT = { series: 'm{a="\u001b"}' as SeriesText, value: 2, sent: millis(0) };

const tryWith = (tried: Tried, argv: readonly string[]) => {
  const calls: unknown[] = [];
  const tryWebhook: TryWebhook = (settings, name, { body, headers }) => {
    calls.push([settings['server.port'], name, Buffer.from(body).toString(), headers]);
    if (name === 'none') throw new RefusedError('name', 'there is no webhook "none"');
    return tried;
  };
  const stdin = (async function* () {
    yield '{"in":1}';
  })();
  const files: Record<string, string> = {
    'body.json': '{"file":1}',
    // Nobody who tries a webhook has the secrets.
    'config.json': '{"webhooks":{"github":{"secret":{"env":"NONE"}},"flux":{"secret":{"file":"/none"}}}}',
  };
  const readFile = (path: string) => files[path];
  const ran = runCommandAlone(
    webhookTryOf(async () => tryWebhook),
    argv,
    { readFile, stdin },
  );
  return { ran, calls };
};

describe('webhook try', () => {
  it('shows the events that a webhook makes of a file, with the settings of a start', async () => {
    const argv = ['deploys', 'body.json', '-H', 'X-Event: push', '--', '--server.port=1'];
    const { ran, calls } = tryWith({ events: [EVENT], ignored: 1, refused: [], leftOut: ['no time'] }, argv);
    expect(await ran).toEqual({
      code: 0,
      stdout: 'm{a="\\x1b"} 2 at 1970-01-01T00:00:00.000Z\n1 ignored: not a kind that this webhook knows\n',
      stderr: 'oneshot webhook try: left out: no time\n',
    });
    expect(calls).toEqual([[1, 'deploys', '{"file":1}', { 'X-Event': 'push' }]]);
  });

  it('reads standard input for -, prints JSON, and ends with 3 where something is refused', async () => {
    const { ran, calls } = tryWith({ events: [], ignored: 0, refused: ['no name'], leftOut: [] }, [
      'deploys',
      '-',
      '--json',
    ]);
    const { code, stdout } = await ran;
    expect({ code, json: JSON.parse(stdout) as unknown }).toEqual({
      code: 3,
      json: { events: [], ignored: 0, refused: ['no name'], leftOut: [] },
    });
    expect(calls).toEqual([[8090, 'deploys', '{"in":1}', {}]]);
  });

  it.each([
    [['deploys'], /name a webhook and a file/],
    [['deploys', 'none.json'], /there is no file "none\.json"/],
    [['none', 'body.json'], /there is no webhook "none"/],
    [['deploys', 'body.json', '-H', 'x'], /--header is not a valid header/],
  ])('%j is refused', async (argv, message) => {
    await expect(tryWith({ events: [], ignored: 0, refused: [], leftOut: [] }, argv).ran).rejects.toThrow(
      message,
    );
  });
});
