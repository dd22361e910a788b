import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { loadSettings } from '../../src/config/load.ts';
import { SETTINGS } from '../../src/config/settings.ts';
import { startServer } from '../support/server.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/ingest/webhooks.md'), 'utf8');
const ENVIRONMENT = { GITHUB_SECRET: 'g', GITLAB_TOKEN: 'l', FLUX_TOKEN: 'f', BUILDS_SECRET: 'b' };
const run = promisify(execFile);

/** curl and openssl, which the commands are written with; without one of them they can't be tried. */
const areThere = ['curl', 'openssl'].every((tool) => spawnSync(tool, ['version']).error === undefined);
if (!areThere && (process.env['CI'] ?? '') !== '') throw new Error('CI needs curl and openssl');

/** A section's blocks of one language. */
function blocks(section: string, language: string): string[] {
  return [...section.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    ([, block = '']) => block,
  );
}

const sections = PAGE.split(/^## /m).map((section) => ({
  title: section.slice(0, section.indexOf('\n')),
  configs: blocks(section, 'json'),
  commands: blocks(section, 'sh'),
  samples: blocks(section, 'text'),
}));

function settingsOf(config: string) {
  const loaded = loadSettings({
    argv: [],
    env: ENVIRONMENT,
    readFile: (path) => (path === 'config.json' ? config : 'a secret\n'),
  });
  if (loaded.action !== 'run') throw new Error(loaded.action);
  return loaded.settings;
}

it('the page has commands and results for every sender', () => {
  expect(sections.filter(({ commands }) => commands.length > 0).map(({ title }) => title)).toEqual([
    'Prometheus',
    'Alertmanager',
    'GitHub',
    'GitLab',
    'Argo CD',
    'Flux',
    'Grafana',
    'Any other webhook',
  ]);
});

it.each(sections.filter(({ configs }) => configs.length > 0))(
  'the configuration in "$title" starts a server',
  async ({ configs }) => {
    for (const config of configs) {
      const { webhooks } = settingsOf(config);
      expect(webhooks).not.toEqual(SETTINGS.webhooks.default);
      await using server = await startServer({ webhooks });
      expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    }
  },
);

it.skipIf(!areThere).each(sections.filter(({ commands }) => commands.length > 0))(
  'the commands in "$title" store what the page says, once, however often they are run',
  async ({ title, configs, commands, samples }) => {
    await using server = await startServer({ webhooks: settingsOf(configs[0] ?? '{}').webhooks });
    // Whoever sends annotations gives them no id.
    const times = title === 'Grafana' ? 1 : 2;
    for (const command of Array.from({ length: times }, () => commands).flat()) {
      expect(command).toContain('localhost:8090');
      const script = command
        .replaceAll('localhost:8090', `127.0.0.1:${server.port}`)
        .replaceAll('curl ', 'curl --silent --show-error --fail-with-body ');
      await run('bash', ['-euc', script], { env: { ...process.env, ...ENVIRONMENT } });
    }
    const body = await (await fetch(`${server.url}/metrics`)).text();
    const metrics = body.split('\n').filter((line) => /^(?:events_to_metrics|build_seconds)\{/.test(line));
    expect(body).toContain(`\nevents_to_metrics_event_count ${samples.length}\n`);
    expect(metrics).toEqual(samples.map((sample) => sample.trimEnd()));
  },
);
