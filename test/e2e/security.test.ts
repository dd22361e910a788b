import { execFile } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { hashToken } from '../../src/access/tokens.ts';
import { HOW_TO_GET_PROMETHEUS, findPromtool } from '../support/prometheus.ts';
import { startServer, temporaryFolder } from '../support/server.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/operate/security.md'), 'utf8');
const PEMS = join(ROOT, 'test/golden/webConfig');
const run = promisify(execFile);

/** A folder with the page's files, and the certificates that they name. */
function folderOfThePage() {
  const folder = temporaryFolder();
  const files = [...PAGE.matchAll(/^<!-- file: (\S+) -->\n\n```yaml\n([\s\S]*?)^```$/gm)];
  for (const [, name = '', text = ''] of files) writeFileSync(join(folder.path, name), text);
  for (const name of ['server.pem', 'server.key', 'ca.pem', 'client.pem', 'client.key'])
    copyFileSync(join(PEMS, name), join(folder.path, name));
  return { ...folder, names: files.map(([, name]) => name), at: (name: string) => join(folder.path, name) };
}

const shell = (cwd: string, command: string) => run('bash', ['-c', command], { cwd });

describe('docs/operate/security.md', () => {
  it('its files start a server, and its curl lines do what it says', async () => {
    using folder = folderOfThePage();
    expect(folder.names).toEqual(['web.yml', 'mutual.yml', 'tokens.yml', 'prometheus.yml']);
    await using server = await startServer({
      'web.config.file': folder.at('web.yml'),
      'auth.tokens.file': folder.at('tokens.yml'),
    });
    const lines = PAGE.split('\n').filter((line) => line.startsWith('curl '));
    expect(lines).toHaveLength(3);
    const outputs: string[] = [];
    for (const line of lines) {
      expect(line).toContain('localhost:8090');
      const command = line
        .replace('localhost:8090', `localhost:${server.port}`)
        .replace('curl ', `curl --silent --show-error --fail --resolve localhost:${server.port}:127.0.0.1 `);
      outputs.push((await shell(folder.path, command)).stdout);
    }
    expect(outputs[0]).toMatch(/^\{"accepted":1,"eventId":"e1-\w+"\}$/);
    expect(outputs[1]).toContain('events_to_metrics{service="api",type="deploy"} 1\n');
    expect(outputs[2]).toContain('is ready');
  });

  it('its file for client certificates lets in who has one, and nobody else', async () => {
    using folder = folderOfThePage();
    await using server = await startServer({ 'web.config.file': folder.at('mutual.yml') });
    const curl = `curl --silent --fail --cacert ca.pem --resolve localhost:${server.port}:127.0.0.1`;
    const url = `https://localhost:${server.port}/healthz`;
    expect((await shell(folder.path, `${curl} --cert client.pem --key client.key ${url}`)).stdout).toBe(
      'OK\n',
    );
    await expect(shell(folder.path, `${curl} ${url}`)).rejects.toThrow('Command failed');
  });

  it('its way to make a token makes one whose hash the file takes', async () => {
    using folder = folderOfThePage();
    const block = /^```sh\n(TOKEN=[\s\S]*?)^```$/m.exec(PAGE)?.[1] ?? '';
    const { stdout } = await shell(folder.path, `${block}\necho "$TOKEN"`);
    const [hash, token = ''] = stdout.trim().split('\n');
    expect(token).toMatch(/^oneshot_[\w-]{43}$/);
    expect(hash).toBe(hashToken(token));
  });

  it('its scrape configuration is one, as promtool has it', async ({ skip }) => {
    const promtool = findPromtool();
    if (promtool === undefined) throw skip(HOW_TO_GET_PROMETHEUS);
    using folder = folderOfThePage();
    for (const secret of ['password', 'token']) writeFileSync(folder.at(secret), 'x');
    const { stdout } = await run(promtool, ['check', 'config', folder.at('prometheus.yml')]);
    expect(stdout).toContain('SUCCESS');
  });
});
