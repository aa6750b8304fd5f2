import { describe, expect, it } from 'vitest';
import { readSettings } from '../src/index.ts';

describe('COUNTERSIGN_PUBLIC_LOG', () => {
  it.each([
    [undefined, false],
    ['', false],
    ['0', false],
    ['1', true],
  ])('%j is %j', (text, publicLog) => {
    expect(readSettings({ COUNTERSIGN_PUBLIC_LOG: text }, []).publicLog).toBe(publicLog);
  });

  it.each(['yes', 'true', '2', ' 1'])('%j is refused by name: nothing that could mean yes is guessed', (text) => {
    expect(() => readSettings({ COUNTERSIGN_PUBLIC_LOG: text }, [])).toThrow('COUNTERSIGN_PUBLIC_LOG must be `1`, or `0` or not set');
  });
});

describe('POL-122: COUNTERSIGN_POLICY_SIGNERS', () => {
  const key = 'ab'.repeat(32);
  it('is a list of public keys', () => {
    expect(readSettings({}, []).policySigners).toEqual([]);
    expect(readSettings({ COUNTERSIGN_POLICY_SIGNERS: `${key}, ${key}` }, []).policySigners).toEqual([key, key]);
    const many = Array<string>(64).fill(key);
    expect(readSettings({ COUNTERSIGN_POLICY_SIGNERS: many.join() }, []).policySigners).toHaveLength(64);
    for (const text of ['x', key.toUpperCase(), `${key},`, [...many, key].join()])
      expect(() => readSettings({ COUNTERSIGN_POLICY_SIGNERS: text }, [])).toThrow('COUNTERSIGN_POLICY_SIGNERS');
  });
});

describe('HUSHD-001: COUNTERSIGN_HUSHD', () => {
  const hushd = (env: Record<string, string>): unknown => readSettings(env, []).hushd;

  it.each([
    ['1', '127.0.0.1', 9876],
    ['0.0.0.0:80', '0.0.0.0', 80],
    ['[::1]:0', '::1', 0],
    ['hushd.internal:65535', 'hushd.internal', 65_535],
  ])('%j listens at %s, %d', (text, host, port) => {
    expect(hushd({ COUNTERSIGN_HUSHD: text })).toMatchObject({ host, port, rateLimit: { perSecond: 100, burst: 50 }, trustedProxies: [] });
  });

  it.each(['', '0'])('%j: there is no such door', (text) => {
    expect(hushd({ COUNTERSIGN_HUSHD: text, CLAWDSTRIKE_API_KEY: 'x' })).toBeUndefined();
  });

  it.each(['true', '9876', ':9876', 'host:65536', 'host:-1', '::1:9876', 'http://host:80'])('%j is refused by name', (text) => {
    expect(() => hushd({ COUNTERSIGN_HUSHD: text })).toThrow('COUNTERSIGN_HUSHD must be');
  });

  const on = { COUNTERSIGN_HUSHD: '1' };

  it('HUSHD-005, HUSHD-006: rate and proxies', () => {
    const env = { ...on, COUNTERSIGN_HUSHD_RATE: '1/1000000', COUNTERSIGN_HUSHD_PROXIES: '10.0.0.0/8, ::1' };
    expect(hushd(env)).toMatchObject({ rateLimit: { perSecond: 1, burst: 1_000_000 }, trustedProxies: ['10.0.0.0/8', '::1'] });
  });

  it.each(['100', '0/5', '5/0', '1/1000001', '1/1/1', '-1/5', '1.5/5'])('the rate %j is refused: it is never off', (text) => {
    expect(() => hushd({ ...on, COUNTERSIGN_HUSHD_RATE: text })).toThrow('COUNTERSIGN_HUSHD_RATE must be');
  });

  it.each(['*', 'proxy.internal', '10.0.0.0/33', '10.0.0.1,', '10.0.0.300'])('the proxies %j are refused', (text) => {
    expect(() => hushd({ ...on, COUNTERSIGN_HUSHD_PROXIES: text })).toThrow('COUNTERSIGN_HUSHD_PROXIES must be');
  });

  it.each(['CLAWDSTRIKE_API_KEY', 'CLAWDSTRIKE_ADMIN_KEY'])('HUSHD-003: %s has 16 to 512 characters', (name) => {
    for (const length of [16, 512]) expect(() => hushd({ ...on, [name]: 'k'.repeat(length) })).not.toThrow();
    for (const text of ['k'.repeat(15), 'k'.repeat(513), 'with a space in it']) expect(() => hushd({ ...on, [name]: text })).toThrow(name);
  });
});
