import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NODE_FLAGS } from '../../scripts/nodeFlags.ts';
import { ROOT, said, stages } from './dockerfile.ts';

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  devDependencies: { node: string };
};
const all = stages();
const final = all.at(-1);
if (final === undefined) throw new Error('the Dockerfile has no stages');
const instructions = all.flatMap((stage) => stage.instructions);

describe('the Dockerfile', () => {
  it('was really read', () => {
    expect(all.map(({ name }) => name)).toEqual(['build', 'node', undefined]);
    expect(instructions.length).toBeGreaterThan(20);
  });

  it('pins the Node that the tests run on', () => {
    const { devDependencies } = manifest;
    const nodes = all.map(({ image }) => image).filter((image) => image.startsWith('node:'));
    expect(nodes).toEqual([
      `node:${devDependencies.node}-bookworm-slim`,
      `node:${devDependencies.node}-bookworm-slim`,
    ]);
  });

  it('builds what is the same everywhere only once, and takes Node for the platform asked for', () => {
    expect(all.map(({ flags }) => flags['platform'])).toEqual(['$BUILDPLATFORM', undefined, undefined]);
  });

  it('runs as a user with a number, who is not root, and owns the volume', () => {
    expect(said(final, 'USER')).toEqual(['65532:65532']);
    const owned = final.instructions.filter(({ flags }) => flags['chown'] !== undefined);
    expect(owned.map(({ flags, rest }) => [flags['chown'], rest])).toEqual([
      ['65532:65532', '/app/data /data'],
    ]);
    expect(said(final, 'VOLUME')).toEqual(['["/data"]']);
  });

  it('starts and is looked after without a shell', () => {
    expect(said(final, 'RUN')).toEqual([]);
    expect(said(final, 'SHELL')).toEqual([]);
    const [entrypoint = ''] = said(final, 'ENTRYPOINT');
    expect(JSON.parse(entrypoint)).toEqual(['/usr/local/bin/node', ...NODE_FLAGS, '/app/dist/main.js']);
    const [healthcheck = ''] = said(final, 'HEALTHCHECK');
    expect(healthcheck).toMatch(/CMD \["\/usr\/local\/bin\/node", /);
    expect(healthcheck).not.toContain('curl');
  });

  it('fetches nothing but by npm, from the lock file', () => {
    expect(instructions.filter(({ name }) => name === 'ADD')).toEqual([]);
    const runs = instructions.filter(({ name }) => name === 'RUN');
    expect(runs).toHaveLength(2);
    expect(runs[0]?.rest).toMatch(/^npm ci --ignore-scripts /);
    expect(runs[1]?.rest).toMatch(/^node scripts\/build\.ts /);
    expect(JSON.stringify(runs)).not.toMatch(/https?:/);
  });

  it('holds the bundle, and none of the packages and sources that it is made of', () => {
    const copied = said(final, 'COPY').map((rest) => rest.split(/\s+/).slice(0, -1).join(' '));
    expect(copied).toContain('/app/dist');
    expect(copied.join(' ')).not.toMatch(/node_modules|\bsrc\b/);
  });

  it('carries no secret', () => {
    const words = instructions.filter(({ name }) => name === 'ARG' || name === 'ENV').map(({ rest }) => rest);
    expect(words.length).toBeGreaterThan(3);
    expect(words.join('\n')).not.toMatch(/password|secret|token|key/i);
  });

  it('says what it is, in the labels of the OCI', () => {
    const labels = said(final, 'LABEL').join(' ');
    for (const key of [
      'title',
      'description',
      'source',
      'licenses',
      'version',
      'revision',
      'created',
      'base.name',
    ])
      expect(labels).toContain(`org.opencontainers.image.${key}=`);
  });

  it('copies only what is there, and what .dockerignore lets in', () => {
    const ignore = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n');
    const copied = all
      .flatMap((stage) => stage.instructions)
      .filter(({ name, flags }) => name === 'COPY' && flags['from'] === undefined)
      .flatMap(({ rest }) => rest.split(/\s+/).slice(0, -1));
    expect(copied).toContain('src');
    for (const path of copied) {
      expect(existsSync(join(ROOT, path)), path).toBe(true);
      expect(ignore).toContain(`!${path}`);
    }
    expect(ignore).toContain('*');
  });
});
