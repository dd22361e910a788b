import { expect, it } from 'vitest';
import { CLIENTS_MAX, ClientBuckets, clientOf } from './buckets.ts';

const asks = (buckets: ClientBuckets, address: string, now: number) => {
  const asked = buckets.ask(address, now);
  asked.keep();
  return asked.passed;
};

it('each client has a bucket of its own', () => {
  const buckets = new ClientBuckets({ intervalMs: 1000, burst: 1 });
  expect([asks(buckets, '10.0.0.1', 0), asks(buckets, '10.0.0.1', 0), asks(buckets, '10.0.0.2', 0)]).toEqual([
    true,
    false,
    true,
  ]);
});

it('all addresses of one IPv6 network of 64 bits are one client', () => {
  const buckets = new ClientBuckets({ intervalMs: 1000, burst: 1 });
  expect([
    asks(buckets, '2001:db8::1', 0),
    asks(buckets, '2001:db8::ffff:1', 0),
    asks(buckets, '2001:db8:0:1::1', 0),
  ]).toEqual([true, false, true]);
});

it('an IPv4 address is one client, however a socket for both kinds calls it', () => {
  expect([clientOf('::ffff:10.0.0.1'), clientOf('::FFFF:10.0.0.2')]).toEqual(['10.0.0.1', '10.0.0.2']);
  expect(clientOf('::ffff:1')).toBe(clientOf('::1'));
});

it('what is asked and not kept does not count', () => {
  const buckets = new ClientBuckets({ intervalMs: 1000, burst: 1 });
  expect(buckets.ask('10.0.0.1', 0).passed).toBe(true);
  expect(asks(buckets, '10.0.0.1', 0)).toBe(true);
});

it('a client whose bucket is full again costs no memory', () => {
  const buckets = new ClientBuckets({ intervalMs: 1, burst: 1 });
  for (let i = 0; i < 1000; i += 1) asks(buckets, `10.0.0.${i}`, 0);
  expect(buckets.size).toBe(1000);
  asks(buckets, '10.0.1.1', 5);
  expect(buckets.size).toBe(1);
});

it('so many clients are kept; one more pushes out the one that was seen longest ago', () => {
  const buckets = new ClientBuckets({ intervalMs: 1000, burst: 1 });
  for (let i = 0; i < CLIENTS_MAX; i += 1) asks(buckets, `client ${i}`, 0);
  expect(asks(buckets, 'client 0', 0)).toBe(false);
  for (let i = 0; i < 5; i += 1) asks(buckets, `late ${i}`, 1);
  expect(buckets.size).toBe(CLIENTS_MAX);
  expect(asks(buckets, 'client 0', 1)).toBe(true);
  expect(asks(buckets, `client ${CLIENTS_MAX - 1}`, 1)).toBe(false);
});
