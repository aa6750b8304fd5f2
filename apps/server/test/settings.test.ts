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
