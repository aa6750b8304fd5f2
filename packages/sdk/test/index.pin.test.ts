import { expect, it } from 'vitest';
import * as sdk from '../src/index.ts';

it('the exports are a contract', () => {
  expect(Object.keys(sdk).toSorted()).toEqual([
    'CountersignBlockedError',
    'CountersignClient',
    'SDK_LIMITS',
    'agent',
    'currentDelegation',
    'currentScopeToken',
    'delegationHeaders',
    'descriptorHash',
    'guard',
  ]);
});
