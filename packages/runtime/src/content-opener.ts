/** @module What opens the sealed content of a data directory: for whoever holds its master key. */
import { join } from 'node:path';
import type { Opener } from '@countersign/receipts';
import { createSealer, loadMasterKey } from '@countersign/store';
import { createSystemRandom } from './platform.ts';

/** @throws CodedError `key_file_missing`, `key_file_unsafe`, `key_file_malformed`, `key_file_unreadable`. */
export function openContent(dataDir: string): Opener {
  const random = createSystemRandom();
  return createSealer(loadMasterKey({ path: join(dataDir, 'keys', 'master.key'), random, create: false }), random);
}
