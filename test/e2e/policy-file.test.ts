/** A real gateway that holds a policy file with what it extends: changes of any of its files, refusals seen wherever an operator looks, and starts. */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { failedStart, type Gateway, newDirectory, openGateway, operatorToken } from './gateway-world.ts';

let place = '';
let gateway: Gateway;
let feed: AsyncIterator<Buffer>;

/** Puts a file in its place in one step, as a deployment does. */
async function put(name: string, text: string): Promise<void> {
  const path = join(place, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

const BASE = (host: string): string => `version: "1.5.0"\nguards: {egress_allowlist: {allow: [${host}], default_action: block}}\n`;

/** Reads the live feed up to the next event of a policy. */
async function nextPolicyEvent(): Promise<Record<string, unknown>> {
  for (let seen = ''; ;) {
    const { value, done } = await feed.next();
    if (done === true) throw new Error('the feed ended');
    seen += value.toString('utf8');
    for (const frame of seen.split('\n\n').slice(0, -1)) {
      const json = frame.startsWith('data: ')
        ? (JSON.parse(frame.slice(6)) as { events: { type: string; data: object }[] })
        : { events: [] };
      const event = json.events.find(({ type }) => type === 'policy');
      if (event !== undefined) return { ...event.data };
    }
    seen = seen.slice(seen.lastIndexOf('\n\n') + 2);
  }
}

async function activeHash(): Promise<unknown> {
  return ((await gateway.operator('GET', '/api/v1/policies/active')).body['policy'] as { hash: string }).hash;
}

beforeAll(async () => {
  place = await newDirectory();
  await put('base/base.yaml', BASE('one.example'));
  await put('policy.yaml', 'name: held\nextends: ./base/base.yaml\n');
  gateway = await openGateway({ COUNTERSIGN_POLICY: join(place, 'policy.yaml') });
  const headers = { authorization: `Bearer ${await operatorToken(gateway.ready.dataDir)}` };
  const stream = await request(`${gateway.ready.url}/api/v1/events`, { headers });
  feed = stream.body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
}, 60_000);

afterAll(async () => {
  await gateway.close();
  await rm(place, { recursive: true, force: true });
});

describe('POL-288 a policy file that extends another, held by a real gateway', () => {
  it('is in force at the start, and a change of what it extends is in force without one', async () => {
    const first = await activeHash();
    expect((await gateway.operator('GET', '/api/v1/status')).body).toMatchObject({ status: { policy: 'held', policyRefused: null } });
    await put('base/base.yaml', BASE('two.example'));
    expect(await nextPolicyEvent()).toMatchObject({ event: 'changed', by: 'file' });
    expect(await activeHash()).not.toBe(first);
  });

  it('POL-281 where a file of it is broken, the policy before it stays and every place says so; mended, none does', async () => {
    const before = await activeHash();
    await put('base/base.yaml', 'guards: 3\n');
    expect(await nextPolicyEvent()).toMatchObject({ event: 'refused', code: 'policy_type', hash: before });
    expect(await activeHash()).toBe(before);
    const metric = async (): Promise<string> => (await gateway.operator('GET', '/metrics')).text;
    expect((await gateway.operator('GET', '/health')).body).toMatchObject({
      status: 'degraded',
      policy: expect.stringContaining('policy_type'),
    });
    expect((await gateway.operator('GET', '/api/v1/status')).body).toMatchObject({
      status: { policyRefused: expect.stringContaining('policy_type') },
    });
    expect(await metric()).toContain('countersign_policy_refused 1');
    const doctor = await gateway.cli(['doctor']);
    expect(doctor.stdout).toContain('policy_type');
    const { body } = await gateway.operator('GET', '/api/v1/receipts?limit=1');
    expect(body).toMatchObject({ entries: [{ body: { action: { kind: 'session.policy' }, inputs: { policy: before } } }] });
    await put('base/base.yaml', BASE('three.example'));
    expect(await nextPolicyEvent()).toMatchObject({ event: 'changed' });
    expect((await gateway.operator('GET', '/health')).body).toEqual({ status: 'ok' });
    expect(await metric()).toContain('countersign_policy_refused 0');
  }, 120_000);

  it('a start with a file that is not whole is none, and names what is missing', async () => {
    const data = await newDirectory();
    await put('lost.yaml', 'extends: ./nowhere.yaml\n');
    const ended = await failedStart(data, { COUNTERSIGN_POLICY: join(place, 'lost.yaml') });
    expect([ended.code, ended.stdout]).toEqual([3, '']);
    expect(ended.stderr).toContain('there is no such file');
    await rm(data, { recursive: true, force: true });
  });
});
