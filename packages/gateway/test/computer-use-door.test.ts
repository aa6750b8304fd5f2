/** Calls of computer-use tools at the Clampd door. */
import { expect, test } from 'vitest';
import { call, createWorld } from './world.ts';

test.each([
  ['left_click', 'input.inject', { input_type: 'mouse' }],
  ['screenshot', 'remote.screen', {}],
  ['reboot', 'custom.computer.reboot', {}],
] as const)('POL-149: a computer-use call that does %s is %s', async (action, kind, more) => {
  const world = await createWorld({});
  const payload = JSON.stringify({ ...call(), tool: 'computer', params: { action } });
  await world.app.inject({ method: 'POST', url: '/v1/proxy', headers: world.headers({}), payload });
  expect(world.actions[0]).toMatchObject({ kind, tool: 'computer', params: { action, ...more } });
});
