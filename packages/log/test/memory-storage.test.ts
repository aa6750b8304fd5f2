import { logStorageContract } from '@countersign/testkit';
import { createMemoryDisk, createMemoryStorage } from '../src/index.ts';

logStorageContract('memory', () => {
  const disk = createMemoryDisk();
  return Promise.resolve({ open: () => Promise.resolve(createMemoryStorage(disk)), remove: () => Promise.resolve() });
});
