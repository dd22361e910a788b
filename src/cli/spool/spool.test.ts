import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { SealedEvent } from '../../client/event.ts';
import { millis } from '../../core/millis.ts';
import type { SpoolLimits } from './spool.ts';
import { BrokenItemError, SPOOL_LIMITS, Spool, SpoolError, folderOf } from './spool.ts';

const NOW = 1_700_000_000_000;
const CLAIM_MS = 60_000;
const SERVER = 'http://localhost:8090';
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function world(limits: Partial<SpoolLimits> = {}) {
  const root = mkdtempSync(join(tmpdir(), 'spool-'));
  folders.push(root);
  let now = NOW;
  let ids = 0;
  const open = () =>
    new Spool(join(root, 'spool'), SERVER, {
      clock: () => millis(now),
      randomId: () => `id-${(ids += 1)}`,
      claimMs: CLAIM_MS,
      limits: { ...SPOOL_LIMITS, ...limits },
    });
  return { root, open, spool: open(), pass: (ms: number) => (now += ms) };
}

const event = (id: string, time = NOW): SealedEvent => ({ id, time, form: `id=${id}` });

/** Claims and reads all that waits. */
async function claimAll(spool: Spool): Promise<string[]> {
  const ids: string[] = [];
  for (const item of await spool.waiting()) {
    const claim = await spool.claim(item);
    const read = claim === undefined ? undefined : await spool.read(claim);
    if (read !== undefined) ids.push(read.id);
  }
  return ids;
}

describe('an event in the spool', () => {
  it('is a file that only its owner can read, and nobody else sends it while it is claimed', async () => {
    const { spool, open } = world();
    const claim = await spool.keep(event('a'));
    expect(await spool.read(claim)).toEqual(event('a'));
    expect(await open().waiting()).toEqual([]);
    expect(await open().counts()).toEqual({ waiting: 1, refused: 0 });
    expect(statSync(join(spool.folder, claim.claimed)).mode & 0o777).toBe(0o600);
    expect(statSync(spool.folder).mode & 0o777).toBe(0o700);
  });

  it('that was written as JSON is kept to the letter', async () => {
    const { spool } = world();
    const json = '{"labels":{"version":1.10,"a":"1","a":"2"}}';
    const written: SealedEvent = { id: 'a', time: NOW, json, query: 'type=x', hasOwnId: false };
    expect(await spool.read(await spool.keep(written))).toEqual(written);
  });

  it('waits again once it is released, and is gone once it is removed', async () => {
    const { spool } = world();
    const claim = await spool.keep(event('a'));
    await spool.release(claim);
    const [item] = await spool.waiting();
    const again = item === undefined ? undefined : await spool.claim(item);
    expect(again).toBeDefined();
    if (again !== undefined) await spool.remove(again);
    expect(readdirSync(spool.folder)).toEqual([]);
  });

  it('waits again when the process that claimed it is gone', async () => {
    const { spool, open, pass } = world();
    await spool.keep(event('a'));
    pass(CLAIM_MS - 1);
    expect(await claimAll(open())).toEqual([]);
    pass(1);
    expect(await claimAll(open())).toEqual(['a']);
    expect(await claimAll(open())).toEqual([]);
  });

  it('waits again when its claim was made by a clock that was years ahead', async () => {
    const { spool, open, pass } = world();
    pass(10 * 365 * 86_400_000);
    await spool.keep(event('a'));
    pass(-10 * 365 * 86_400_000);
    expect(await claimAll(open())).toEqual(['a']);
  });

  it('comes in the order of the times of events, whenever they were kept', async () => {
    const { spool } = world();
    for (const [id, time] of [
      ['c', 3],
      ['a', 1],
      ['b', 2],
    ] as const)
      await spool.release(await spool.keep(event(id, NOW + time)));
    expect(await claimAll(spool)).toEqual(['a', 'b', 'c']);
  });

  it('goes to one process of many that want it at once', async () => {
    const { spool, open } = world();
    for (let i = 0; i < 30; i += 1) await spool.release(await spool.keep(event(`e${i}`, NOW + i)));
    const got = await Promise.all(Array.from({ length: 8 }, () => claimAll(open())));
    expect(got.flat().toSorted()).toEqual(Array.from({ length: 30 }, (_, i) => `e${i}`).toSorted());
  });

  it('survives when many keep at once', async () => {
    const { open } = world();
    const claims = await Promise.all(Array.from({ length: 40 }, (_, i) => open().keep(event(`e${i}`))));
    await Promise.all(claims.map((claim) => open().release(claim)));
    expect((await claimAll(open())).length).toBe(40);
  });

  it('is of one server: another one has a folder of its own', () => {
    expect(folderOf('http://localhost:8090')).toMatch(/^localhost_8090-[0-9a-f]{8}$/);
    expect(folderOf('http://localhost:8090/')).toBe(folderOf('http://localhost:8090'));
    expect(folderOf('https://localhost:8090')).not.toBe(folderOf('http://localhost:8090'));
    expect(folderOf('http://localhost:8090/../../etc/passwd')).not.toContain('/');
  });
});

describe('an event that was refused', () => {
  it('is moved aside, with the reason beside it, and waits no more', async () => {
    const { spool } = world();
    const claim = await spool.keep(event('a'));
    await spool.refuse(claim, 'label a-b is not valid (400)');
    expect(await spool.counts()).toEqual({ waiting: 0, refused: 1 });
    const refused = join(spool.folder, 'refused');
    expect(JSON.parse(readFileSync(join(refused, claim.waiting), 'utf8'))).toEqual(event('a'));
    expect(readFileSync(join(refused, `${claim.waiting}.reason`), 'utf8')).toBe(
      'label a-b is not valid (400)\n',
    );
  });

  it('makes room for newer ones at the limit', async () => {
    const { spool } = world({ refusedMax: 2 });
    for (const i of [1, 2, 3]) await spool.refuse(await spool.keep(event(`e${i}`, NOW + i)), 'no');
    const left = readdirSync(join(spool.folder, 'refused'));
    expect(left).toHaveLength(4);
    expect(left.some((name) => name.startsWith(`00${NOW + 1}`))).toBe(false);
  });
});

describe('a folder that others may write to', () => {
  it.each([0o777, 0o770, 0o707, 0o1777])(
    'of mode %o is not used, and the error says what to do',
    async (mode) => {
      const { spool } = world();
      await spool.release(await spool.keep(event('a')));
      chmodSync(spool.folder, mode);
      const message = new RegExp(`^can't use ${spool.folder}: others can write to it .*chmod go-w`);
      await expect(spool.waiting()).rejects.toThrow(message);
      await expect(spool.counts()).rejects.toThrow(SpoolError);
      await expect(spool.keep(event('b'))).rejects.toThrow(message);
      chmodSync(spool.folder, 0o755);
      expect(await claimAll(spool)).toEqual(['a']);
    },
  );

  it('is not used through a link either', async () => {
    const { root, spool, open } = world();
    mkdirSync(join(root, 'elsewhere'));
    mkdirSync(join(root, 'spool'));
    symlinkSync(join(root, 'elsewhere'), spool.folder);
    await expect(open().keep(event('a'))).rejects.toThrow(/can't use .*: it is a symbolic link/);
  });

  it.runIf(process.geteuid?.() === 0)('is not used where it belongs to somebody else', async () => {
    const { spool } = world();
    await spool.release(await spool.keep(event('a')));
    chownSync(spool.folder, 65_534, 65_534);
    await expect(spool.waiting()).rejects.toThrow(
      /it belongs to user 65534, but you are user 0; run this as/,
    );
    await expect(spool.keep(event('b'))).rejects.toThrow(SpoolError);
  });

  it.runIf(process.geteuid?.() === 0)('has left entries of others, which are never sent', async () => {
    const { spool } = world();
    for (const id of ['a', 'b']) await spool.release(await spool.keep(event(id)));
    const [first = '', second = ''] = readdirSync(spool.folder);
    chownSync(join(spool.folder, first), 65_534, 65_534);
    const [theirs, ours] = await spool.waiting();
    expect([theirs?.waiting, ours?.waiting]).toEqual([first, second]);
    const claim = theirs && (await spool.claim(theirs));
    await expect(claim && spool.read(claim)).rejects.toThrow(/not a file of this user, so it is not sent/);
  });

  it('has links, which are never followed', async () => {
    const { root, spool } = world();
    const claim = await spool.keep(event('a'));
    writeFileSync(join(root, 'theirs'), JSON.stringify(event('evil')));
    rmSync(join(spool.folder, claim.claimed));
    symlinkSync(join(root, 'theirs'), join(spool.folder, claim.claimed));
    await expect(spool.read(claim)).rejects.toThrow(BrokenItemError);
  });
});

describe('a file that is not an event', () => {
  const text = (changed: object) => JSON.stringify({ id: 'a', time: NOW, form: '', ...changed });
  it.each([
    ['no JSON', '{"id":', /not JSON/],
    ['null', 'null', /no id, time and form/],
    ['no form', '{"id":"a","time":1}', /no id, time and form/],
    ['a time that no date has', '{"id":"a","time":1e999,"form":""}', /no id, time and form/],
    ['no id', text({ id: '' }), /the id "" in the file can't be sent; id must be 1 to 256/],
    ['an id of two lines', text({ id: 'a\nb' }), /the id "a\\nb" in the file can't be sent/],
    ['an id that no header can carry', text({ id: 'ü' }), /can't be sent/],
    ['an id that is too long', text({ id: 'a'.repeat(257) }), /can't be sent/],
    ['the same of JSON', '{"id":"ü","time":1,"json":"{}","query":"","hasOwnId":false}', /can't be sent/],
  ])('is told apart, so that it holds up no other: %s', async (_, content, message) => {
    const { spool } = world();
    const { claimed } = await spool.keep(event('a'));
    writeFileSync(join(spool.folder, claimed), content);
    const error = await spool.read({ claimed, waiting: '' }).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(BrokenItemError);
    expect(String(error)).toMatch(message);
  });

  it('but an id of its own that stands in its JSON is not sent in a header', async () => {
    const { spool } = world();
    const claim = await spool.keep({ id: 'ü', time: NOW, json: '{"id":"ü"}', query: '', hasOwnId: true });
    expect(await spool.read(claim)).toMatchObject({ id: 'ü' });
  });
});

describe('the spool', () => {
  it.each<[string, Partial<SpoolLimits>]>([
    ['events', { itemsMax: 2 }],
    ['bytes', { bytesMax: 130 }],
  ])('is bounded by %s, and says so', async (_what, limits) => {
    const { spool } = world(limits);
    await spool.keep(event('a'));
    await spool.keep(event('b'));
    await expect(spool.keep(event('c'))).rejects.toThrow(SpoolError);
    await expect(spool.keep(event('c'))).rejects.toThrow(/is full: it has 2 events .*oneshot spool flush/);
    expect(await spool.counts()).toEqual({ waiting: 2, refused: 0 });
  });

  it('clears away what nobody finished writing, but not what somebody may be writing now', async () => {
    const { spool, pass } = world();
    mkdirSync(spool.folder, { recursive: true });
    writeFileSync(join(spool.folder, `.${NOW + CLAIM_MS}-abc.tmp`), '{"id":');
    writeFileSync(join(spool.folder, 'notes.txt'), 'not ours');
    expect(await spool.counts()).toEqual({ waiting: 0, refused: 0 });
    expect(readdirSync(spool.folder)).toHaveLength(2);
    pass(CLAIM_MS);
    await spool.counts();
    expect(readdirSync(spool.folder)).toEqual(['notes.txt']);
  });

  it.each(['', '{"id":', '[]', 'null', '{"id":"a","time":"1","form":""}'])(
    'tells a file that is no event: %j',
    async (text) => {
      const { spool } = world();
      const claim = await spool.keep(event('a'));
      writeFileSync(join(spool.folder, claim.claimed), text);
      await expect(spool.read(claim)).rejects.toThrow(BrokenItemError);
    },
  );

  it('that can not be used says which folder, and why', async () => {
    const { root, spool } = world();
    writeFileSync(join(root, 'spool'), 'a file');
    await expect(spool.keep(event('a'))).rejects.toThrow(
      new RegExp(`^can't keep events in ${spool.folder}: E`),
    );
    await expect(spool.waiting()).rejects.toThrow(SpoolError);
  });

  it('that is not there holds nothing', async () => {
    const { spool } = world();
    expect([await spool.waiting(), await spool.counts()]).toEqual([[], { waiting: 0, refused: 0 }]);
  });
});
