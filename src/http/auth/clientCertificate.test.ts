import { describe, expect, it } from 'vitest';
import { admitsClient } from './clientCertificate.ts';

const NOBODY = { sent: false, verified: false, subjectAltName: '' };
const named = (subjectAltName: string) => ({ sent: true, verified: true, subjectAltName });

describe('the names of a client certificate', () => {
  it.each([
    ['DNS:one.test', 'one.test', true],
    ['DNS:one.test, DNS:two.test', 'two.test', true],
    ['DNS:one.test', 'ONE.test', false],
    ['DNS:one.test', 'one', false],
    ['IP Address:127.0.0.1', '127.0.0.1', true],
    ['IP Address:0:0:0:0:0:0:0:1', '::1', true],
    ['IP Address:2001:DB8:0:0:0:0:0:1', '2001:db8::1', true],
    ['email:a@test, URI:spiffe://test/x', 'a@test', true],
    ['email:a@test, URI:spiffe://test/x', 'spiffe://test/x', true],
    // A name with a comma is one name, whatever it pretends to hold.
    ['DNS:"x, DNS:one.test"', 'one.test', false],
    ['DNS:"x, DNS:one.test", DNS:two.test', 'two.test', true],
    ['DNS:"x, DNS:one.test"', 'x, DNS:one.test', true],
    // Kinds that are not named in the format do not count.
    ['othername:<unsupported>, DNS:one.test', 'othername:<unsupported>', false],
    ['DirName:"CN = one.test"', 'CN = one.test', false],
    ['', '', false],
  ])('%s has %s: %s', (subjectAltName, allowed, admitted) => {
    const rules = { clientAuth: 'requireAndVerify', allowedSans: [allowed] } as const;
    expect(admitsClient(rules, named(subjectAltName))).toBe(admitted);
  });

  it('do not matter where no certificate is asked for', () => {
    expect(admitsClient({ clientAuth: 'none', allowedSans: ['one.test'] }, NOBODY)).toBe(true);
  });

  it('matter wherever one is asked for: who sends none has none', () => {
    for (const clientAuth of ['request', 'verifyIfGiven'] as const)
      expect(admitsClient({ clientAuth, allowedSans: ['one.test'] }, NOBODY)).toBe(false);
  });
});
