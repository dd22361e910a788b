import { describe, expect, it } from 'vitest';
import { completeUrl, readPostgresUrl } from './postgresUrl.ts';

const read = (url: string, env: Record<string, string> = {}) =>
  readPostgresUrl(completeUrl('store.url', url, env));

describe('the URL of a database', () => {
  it.each([
    [
      'postgres://app:pass@db:6432/events',
      { hosts: [{ host: 'db', port: 6432 }], user: 'app', password: 'pass', database: 'events' },
    ],
    [
      'postgresql://app:p%40s%2Fs%3A%25@cluster-rw.ns.svc/app?sslmode=disable',
      { hosts: [{ host: 'cluster-rw.ns.svc', port: 5432 }], password: 'p@s/s:%', tls: undefined },
    ],
    [
      'postgres://app@[::1]:5433',
      { hosts: [{ host: '::1', port: 5433 }], database: 'app', password: undefined },
    ],
    [
      'postgres://app@a:1,b,c:3/x?target_session_attrs=read-write',
      {
        hosts: [
          { host: 'a', port: 1 },
          { host: 'b', port: 5432 },
          { host: 'c', port: 3 },
        ],
      },
    ],
    ['postgres://app@%2Fvar%2Frun%2Fpostgresql/x', { hosts: [{ host: '/var/run/postgresql', port: 5432 }] }],
    [
      'postgres:///x?host=/tmp&user=app&port=5',
      { hosts: [{ host: '/tmp', port: 5 }], user: 'app', database: 'x' },
    ],
    ['postgres://app:a&b=c+d@db', { password: 'a&b=c+d' }],
    ['postgres://app@db/x?password=a+b%26c', { password: 'a+b&c' }],
  ])('%s', (url, expected) => {
    expect(read(url)).toMatchObject(expected);
  });

  it.each([
    ['', { isOptional: true, checks: 'nothing' }],
    ['sslmode=require', { isOptional: false, checks: 'nothing' }],
    ['sslmode=require&sslrootcert=/ca.pem', { checks: 'authority', authorityFile: '/ca.pem' }],
    ['sslmode=verify-ca&sslrootcert=/ca.pem', { isOptional: false, checks: 'authority' }],
    ['sslmode=verify-full', { checks: 'authority and host', authorityFile: undefined }],
    ['sslmode=verify-full&sslrootcert=system', { checks: 'authority and host', authorityFile: undefined }],
    ['sslmode=verify-full&sslcert=/c&sslkey=/k', { certificateFile: '/c', keyFile: '/k' }],
  ])('TLS by %j', (query, tls) => {
    expect(read(`postgres://app@db/x?${query}`).tls).toMatchObject(tls);
  });

  it('leaves to the PG* variables what it does not say', () => {
    const env = {
      PGHOST: 'a',
      PGPORT: '7',
      PGUSER: 'u',
      PGPASSWORD: 'p w',
      PGDATABASE: 'd',
      PGSSLMODE: 'verify-full',
    };
    expect(read('', env)).toMatchObject({
      hosts: [{ host: 'a', port: 7 }],
      user: 'u',
      password: 'p w',
      database: 'd',
      tls: { checks: 'authority and host' },
    });
    expect(read('postgres://me@b:8', env)).toMatchObject({
      hosts: [{ host: 'b', port: 8 }],
      user: 'me',
      password: 'p w',
    });
  });

  it.each([
    ['mysql://app:secret@db/x', 'is no URL of a PostgreSQL database'],
    ['postgres://app:secret@db:70000/x', 'the port must be from 1 to 65535'],
    ['postgres://app:secret@db:/x', undefined],
    ['postgres://app:se%cret@db/x', 'has a % that begins no character'],
    ['postgres://app:secret@db/x?sslmode=on', 'sslmode must be one of'],
    ['postgres://app:secret@db/x?options=-cfoo', '"options"'],
    ['postgres://db/x', 'names no user'],
    ['', 'needs to know where the database is'],
    ['postgres://app:sec/ret@db/x', "names a host that can't be"],
  ])('%s is refused without being shown', (url, message) => {
    if (message === undefined) {
      expect(read(url)).toBeDefined();
      return;
    }
    expect(() => read(url)).toThrow(message);
    expect(() => read(url)).not.toThrow(/secret@|se%cret|sec\/ret/);
  });
});
