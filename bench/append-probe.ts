import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSigner, sha256 } from '@countersign/crypto';
import { openLog } from '@countersign/log';
import { openDiskLogStorage } from '@countersign/store';
const directory = await mkdtemp(join(tmpdir(), 'cs-bench-'));
const storage = await openDiskLogStorage({ directory, durability: 'synced' });
const O = 'bench/log';
const log = await openLog({
  storage,
  origin: O,
  noteSigner: { name: O, signer: createSigner(sha256('x')) },
  pace: () => new Promise((r) => setTimeout(r, 100)),
});
const N = Number(process.argv[2] ?? 200000);
const att = new Uint8Array(700);
const entries = Array.from({ length: N }, (_, n) => {
  const b = new Uint8Array(900);
  b.set(Buffer.from(String(n)));
  return b;
});
const t = performance.now();
const c0 = process.cpuUsage();
const waiting: Promise<void>[] = [];
for (let n = 0; n < N; n++) {
  waiting.push(log.append({ entry: entries[n], attachments: [att] }).durable);
  if (waiting.length === 8000) await Promise.all(waiting.splice(0, 4000));
}
await Promise.all(waiting);
const ms = performance.now() - t;
const c = process.cpuUsage(c0);
console.log(Math.round((N / ms) * 1000), 'entries/s', 'cpu us/entry', ((c.user + c.system) / N).toFixed(1));
const t2 = performance.now();
await log.whenPublished(N - 1);
console.log('published after', Math.round(performance.now() - t2));
await log.close();
const t3 = performance.now();
const s2 = await openDiskLogStorage({ directory, durability: 'synced' });
const log2 = await openLog({ storage: s2, origin: O, noteSigner: { name: O, signer: createSigner(sha256('x')) } });
console.log('open', Math.round(performance.now() - t3), 'ms', log2.size);
await log2.close();
await rm(directory, { recursive: true });
