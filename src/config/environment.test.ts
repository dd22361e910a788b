import { describe, expect, it } from 'vitest';
import type { Environment } from './environment.ts';
import { readEnvironment } from './environment.ts';
import { SETTINGS } from './settings.ts';

function values(env: Environment): Record<string, unknown> {
  return Object.fromEntries([...readEnvironment(env, SETTINGS)].map(([key, given]) => [key, given.parse()]));
}

describe('the environment', () => {
  it('sets each key by the variable named after it', () => {
    expect(values({ ONESHOT_SERVER_PORT: '1', ONESHOT_SERVER_TRUSTED_PROXIES: '' })).toStrictEqual({
      'server.port': 1,
      'server.trustedProxies': [],
    });
  });

  it('may hold anything without our prefix', () => {
    expect(values({ PATH: '/bin', ONESHOTPORT: '1', ONESHOT_SERVER_HOST: undefined })).toStrictEqual({});
  });

  it.each([
    ['ONESHOT_SERVER_PROT', ' (did you mean ONESHOT_SERVER_PORT?)'],
    ['ONESHOT_PORT', ' (did you mean ONESHOT_SERVER_PORT?)'],
    ['ONESHOT_LEVEL', ' (did you mean ONESHOT_LOG_LEVEL?)'],
    ['ONESHOT_COLOUR', ''],
    ['ONESHOT_', ''],
  ])('refuses %s and suggests what is near', (name, near) => {
    expect(() => values({ [name]: '1' })).toThrow(
      `unknown environment variable "${name}"${near}; unset it; oneshot serve --help lists all settings`,
    );
  });
});

describe('the variables of the commands that talk to a server', () => {
  it.each(['ONESHOT_URL', 'ONESHOT_TOKEN', 'ONESHOT_USER', 'ONESHOT_SPOOL'])('%s sets nothing', (name) => {
    expect(values({ [name]: 'x' })).toStrictEqual({});
  });
});

describe('the variables of Kubernetes', () => {
  it.each([
    ['ONESHOT_SERVICE_HOST', '10.0.0.1'],
    ['ONESHOT_SERVICE_PORT', '8090'],
    ['ONESHOT_SERVICE_PORT_METRICS', '8090'],
    ['ONESHOT_PORT', 'tcp://10.0.0.1:8090'],
    ['ONESHOT_PORT_8090_TCP', 'tcp://10.0.0.1:8090'],
    ['ONESHOT_PORT_8090_TCP_PROTO', 'tcp'],
    ['ONESHOT_PORT_8090_TCP_PORT', '8090'],
    ['ONESHOT_PORT_8090_TCP_ADDR', '10.0.0.1'],
    ['ONESHOT_PORT_53_UDP', 'udp://10.0.0.1:53'],
    ['ONESHOT_PORT_53_SCTP_ADDR', '10.0.0.1'],
    ['ONESHOT_SERVER_SERVICE_HOST', '10.0.0.1'],
    ['ONESHOT_SERVER_PORT', 'tcp://10.0.0.1:8090'],
    ['ONESHOT_SERVER_PORT', 'udp://[fd00::1]:8090'],
    ['ONESHOT_SERVER_PORT', 'sctp://10.0.0.1:8090'],
    ['ONESHOT_SERVER_PORT_8090_TCP_ADDR', '10.0.0.1'],
  ])('for a Service called as we are count for nothing: %s=%s', (name, value) => {
    expect(values({ [name]: value })).toStrictEqual({});
  });

  it('hide no mistake in a port', () => {
    expect(() => values({ ONESHOT_SERVER_PORT: 'http://10.0.0.1' })).toThrow(/must be a port/);
  });
});

describe('the variables of the Go server', () => {
  it.each([
    ['true', 'explicit'],
    ['TRUE', 'explicit'],
    ['false', 'scrape'],
    ['False', 'scrape'],
    ['', 'scrape'],
  ])('work as they did: USE_EXPLICIT_TIMESTAMPS=%s is %s', (raw, value) => {
    expect(values({ USE_EXPLICIT_TIMESTAMPS: raw })).toStrictEqual({ 'scrape.timestamps': value });
  });

  it('are checked: USE_EXPLICIT_TIMESTAMPS=yes is refused', () => {
    expect(() => values({ USE_EXPLICIT_TIMESTAMPS: 'yes' })).toThrow(
      'must be true or false, not "yes"; set USE_EXPLICIT_TIMESTAMPS=true for explicit, false for scrape',
    );
  });

  it.each([
    ['DEBUG', 'DEBUG'],
    ['warn', 'WARN'],
    ['', 'INFO'],
  ])('work as they did: LOG_LEVEL=%s is %s', (raw, value) => {
    expect(values({ LOG_LEVEL: raw })).toStrictEqual({ 'log.level': value });
  });

  it('give way to the variable named after the key', () => {
    expect(values({ LOG_LEVEL: 'nonsense', ONESHOT_LOG_LEVEL: 'ERROR' })).toStrictEqual({
      'log.level': 'ERROR',
    });
  });
});
