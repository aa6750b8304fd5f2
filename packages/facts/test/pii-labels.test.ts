import { beforeAll, describe, expect, it } from 'vitest';
import { createParsers } from '../src/parsers.ts';
import { createUnderstanding, type Understanding } from '../src/understand.ts';
import { actionOf } from './actions.ts';
import { wasmBytes } from './wasm-bytes.ts';

let understanding: Understanding;

beforeAll(async () => {
  understanding = createUnderstanding(await createParsers(wasmBytes()));
});

describe('numbers that only look like personal data are less certain', () => {
  const found = (content: string): readonly string[] =>
    understanding.understand(actionOf('model.output', { content }), []).pii.map(({ type, confidence }) => `${type} ${confidence}`);

  it.each([
    ['His number is 536-22-8145.', 'ssn high'],
    ['{"ssn": "536-22-8145"}', 'ssn high'],
    ['checksum: 536-22-8145', 'ssn low'],
    ['{"row_hash":"536-22-8145"}', 'ssn low'],
    ['rehash of it 536-22-8145', 'ssn high'],
    ['the card is 4539 1488 0343 6467', 'credit_card high'],
    ['the card is 4242 4242 4242 4242', 'credit_card low'],
  ])('%s', (content, fact) => expect(found(content)).toEqual([fact]));
});
