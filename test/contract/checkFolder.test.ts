import { copyFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { runCli } from '../support/cli.ts';
import { damagePages, leafPages } from '../support/damage.ts';
import { aScraper, events, newIds } from './support/builders.ts';
import { aFolder } from './support/folders.ts';
import { aSqliteLog } from './support/logs.ts';

/** A closed log of 400 blocks. */
async function aLog(): Promise<string> {
  const path = aFolder();
  const log = await aSqliteLog({ path });
  for (let n = 1; n <= 1200; n += 3) await log.append(events(3, n), newIds(`id ${n}`));
  await log.saveScraper(aScraper());
  await log[Symbol.asyncDispose]();
  return path;
}

function change(path: string, sql: string): void {
  const db = new DatabaseSync(join(path, 'events.db'));
  db.exec(sql);
  db.close();
}

async function check(path: string) {
  const before = readdirSync(path);
  const { code, stdout } = await runCli(['log', 'check', path, '--json']);
  expect(readdirSync(path)).toEqual(before);
  return {
    code,
    report: JSON.parse(stdout) as { isWell: boolean; lost: number; problems: string[]; error?: string },
  };
}

describe('oneshot log check', () => {
  test('says what is there where all is well, and changes nothing', async () => {
    const path = await aLog();
    expect(await check(path)).toMatchObject({
      code: 0,
      report: {
        isWell: true,
        end: 1200,
        trimmed: 0,
        blocks: 400,
        scrapers: 1,
        ids: 400,
        lost: 0,
        problems: [],
      },
    });
    const { code, stdout } = await runCli(['log', 'check', path]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/entries 1 to 1200 in 400 blocks, 1 scrapers, 400 ids\nno damage found\n$/);
    // Where the log is stands in the settings; who looks at it needs no secret of theirs.
    const env = {
      ONESHOT_STORE_PATH: path,
      ONESHOT_WEBHOOKS: '{"github":{"secret":{"env":"NONE"}}}',
    };
    expect((await runCli(['log', 'check'], { env })).code).toBe(0);
  });

  test('takes the file of a backup, also beside the mark of a log that has gone on', async () => {
    const path = await aLog();
    copyFileSync(join(path, 'events.db'), join(path, 'backup.db'));
    change(path, 'DELETE FROM blocks WHERE last > 1190');
    const { code, stdout } = await runCli(['log', 'check', join(path, 'backup.db')]);
    expect(stdout).toMatch(/backup\.db: entries 1 to 1200 in 400 blocks, .*\nno damage found\n$/);
    expect(code).toBe(0);
  });

  test.each([
    [
      'a text',
      "UPDATE blocks SET text = replace(text, 'prod', 'prox') WHERE last = 600",
      /entries 598 to 600 can't be read/,
    ],
    ['a missing row', 'DELETE FROM blocks WHERE last = 600', /entries 598 to 600 can't be read: missing/],
    ['a missing end', 'DELETE FROM blocks WHERE last > 1190', /the log ends at 1188, but had reached 1200/],
    ['a scraper', "UPDATE scrapers SET record = '{'", /the record of scraper "prometheus-0" is damaged/],
    ['an id', "UPDATE ids SET hash = x'00' WHERE place = 7", /1 of 400 ids/],
    ["an id's place", 'UPDATE ids SET entry = 9223372036854775807 WHERE place = 7', /1 of 400 ids/],
    ['the half of it', 'UPDATE ids SET count = NULL WHERE place = 7', /1 of 400 ids/],
    ['the counters', "INSERT INTO notes VALUES ('event_counters', '{')", /counters are damaged/],
  ])('finds damage of %s', async (_, sql, problem) => {
    const path = await aLog();
    change(path, sql);
    const { code, report } = await check(path);
    expect(code).toBe(1);
    expect(report.isWell).toBe(false);
    expect(report.problems.join('\n')).toMatch(problem);
  });

  test('finds pages that SQLite can not read', async () => {
    const path = await aLog();
    const file = join(path, 'events.db');
    damagePages(file, [leafPages(file, 'deploys{')[2] as number]);
    const { code, report } = await check(path);
    expect(code).toBe(1);
    expect(report.problems.join('\n')).toMatch(/integrity check: .*\nentries \d+ to \d+ can't be read/);
    expect(report.lost).toBeGreaterThan(0);
    expect(report.problems.filter((problem) => problem.startsWith('entries'))).toHaveLength(1);
  });

  test('says why where it can not look', async () => {
    const path = aFolder();
    const why = async () => {
      const { code, report } = await check(path);
      return { code, error: report.error?.replace(path, '…') };
    };
    const named = 'name the folder of a log (store.path), or the file of a backup';
    expect(await why()).toEqual({ code: 2, error: `no log in …: events.db is missing; ${named}` });
    const file = join(path, 'events.db');
    writeFileSync(file, 'no database '.repeat(1000));
    expect(await why()).toEqual({
      code: 2,
      error: `can't open the log …/events.db: it is not a database; ${named}; if it was a log, restore it from a backup`,
    });
    writeFileSync(file, '');
    change(path, 'CREATE TABLE another (a)');
    expect(await why()).toEqual({ code: 2, error: `…/events.db is not a log of this server; ${named}` });
  });

  test('says so where a server has it open', async () => {
    const path = await aLog();
    const log = await aSqliteLog({ path });
    await log.append(events(1, 1201));
    const { code, stderr } = await runCli(['log', 'check', path]);
    expect(code).toBe(2);
    expect(stderr).toContain('another process has it open; stop the server, or check a backup');
    await log.append(events(1, 1202));
    expect(log.state().end).toBe(1202);
  });
});
