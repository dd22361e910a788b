import { describe, expect, it } from 'vitest';
import { AllowedHosts } from '../http/browsers/hosts.ts';
import { machineNames, namesFor } from './machineNames.ts';

const POD =
  'search apps.svc.k8s.example svc.k8s.example k8s.example corp.example\nnameserver 10.0.0.10\noptions ndots:5\n';

describe('what a machine is called', () => {
  it('is its name, alone and in the domains that it searches', () => {
    expect(namesFor('web1', 'nameserver 10.0.0.1\nsearch corp.example Lab.Example.\n')).toEqual([
      'web1',
      'web1.corp.example',
      'web1.lab.example',
    ]);
    expect(namesFor('web1.corp.example', 'domain corp.example\n')).toEqual([
      'web1.corp.example',
      'web1.corp.example',
    ]);
  });

  it('in a pod is what Services are called, in whatever domain the cluster has', () => {
    const hosts = new AllowedHosts(namesFor('events-0', POD));
    expect(hosts.has('events-to-metrics.apps.svc.k8s.example:8090', undefined)).toBe(true);
    expect(hosts.has('a.svc.evil.example', undefined)).toBe(false);
    expect(hosts.has('a.corp.example', undefined)).toBe(false);
    expect(hosts.has('k8s.example', undefined)).toBe(false);
  });

  it('is never all there is, whatever the resolver says', async () => {
    for (const text of ['', 'search', 'search .', 'search *', 'search * *.example\n', '# search a.b\n'])
      expect(new AllowedHosts(namesFor('h', text)).has('evil.example', undefined), text).toBe(false);
    expect(new AllowedHosts(await machineNames()).has('evil.example', undefined)).toBe(false);
  });
});
