import { expect, test } from 'vitest';
import { printConfig } from '../../src/config/describe.ts';
import { loadSettings } from '../../src/config/load.ts';
import { MAPPING_MEMBERS } from '../../src/read/webhooks/compile.ts';

const print = (webhook: object) => {
  const loaded = loadSettings({
    argv: ['--print-config'],
    env: {},
    readFile: () => JSON.stringify({ webhooks: { w: webhook } }),
  });
  return loaded.action === 'print-config' ? printConfig(loaded) : '';
};

test.each([...MAPPING_MEMBERS, 'preset', 'only'])('--print-config shows what a webhook has as %s', (member) => {
  expect(print({ [member]: { a: 'shown' } })).toContain(`"${member}":{"a":"shown"}`);
});

test.each([
  { secret: ['hunter2'] },
  { secret: 'hunter2' },
  { secrets: 'hunter2' },
  { signature: { header: 'hunter2' } },
  { token: 'hunter2' },
  { anything: { at: ['all', 'hunter2'] } },
])('--print-config shows nothing of %j', (webhook) => {
  expect(print(webhook)).toContain('***');
  expect(print(webhook)).not.toContain('hunter2');
});
