/** Where an event says that the agent was asked, and texts that are sent there. */
import { parseTestSuite, readPolicyEvent } from '@countersign/policy';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '@countersign/kernel';

const CLAIM = { provider: 'slack', space_id: 'C1' };
const event = (more: JsonObject, data: JsonObject = { type: 'file', path: '/a' }, eventType = 'file_read'): JsonObject => ({
  eventId: 'e',
  eventType,
  timestamp: '2026-01-01T00:00:00Z',
  data,
  ...more,
});

function read(value: JsonObject): unknown {
  const found = readPolicyEvent(value);
  return found.ok ? found.value.action : [found.error.code, found.error.path];
}

describe('POL-302 the origin of an event', () => {
  it('stands beside the data or among the metadata, in two spellings', () => {
    const wanted = { kind: 'file.read', params: { path: '/a' }, origin: { origin: CLAIM } };
    for (const name of ['origin', 'originContext']) {
      expect(read(event({ [name]: CLAIM }))).toEqual(wanted);
      expect(read(event({ metadata: { [name]: CLAIM } }))).toEqual(wanted);
    }
    expect(read(event({ origin: CLAIM, metadata: { origin: { provider: 'other' } } }))).toEqual(wanted);
    expect(read(event({}))).not.toHaveProperty('origin');
    expect(read(event({ metadata: 'x' }))).not.toHaveProperty('origin');
  });

  it('two that differ are refused; one of another form is handed on, for the judge to refuse', () => {
    expect(read(event({ origin: CLAIM, originContext: { provider: 'other' } }))).toEqual(['event_field', 'origin']);
    expect(read(event({ metadata: { origin: CLAIM, originContext: {} } }))).toEqual(['event_field', 'metadata.origin']);
    expect(read(event({ origin: 'slack' }))).toMatchObject({ origin: { origin: 'slack' } });
  });

  it('POL-306 a text that is sent is `agent.message`', () => {
    const data = { type: 'custom', customType: 'origin.output_send', text: 'hello' };
    expect(read(event({ origin: CLAIM }, data, 'custom'))).toEqual({
      kind: 'agent.message',
      content: 'hello',
      origin: { origin: CLAIM },
    });
  });

  it('tests of a suite say it too', () => {
    const suite = parseTestSuite(
      'name: s\npolicy: p\nsuites: [{name: a, tests: [{name: t, input: {eventType: file_read, data: {type: file, path: /a}, origin: {provider: slack}}, expect: {allowed: true}}]}]\n',
      's.yaml',
    );
    expect(suite.ok && suite.value.tests[0]?.event.action.origin).toEqual({ origin: { provider: 'slack' } });
  });
});
