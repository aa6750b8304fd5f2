/**
 * Loaded before a witness (`--import`): ends its process with SIGKILL at one exact step of its life. `COUNTERSIGN_KILL_AT` is
 * `<step>:<n>`: the n-th time that it is about to store or sign, or has just done so.
 */
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import process from 'node:process';
import { StatementSync } from 'node:sqlite';

const [step, at] = (process.env['COUNTERSIGN_KILL_AT'] ?? '').split(':');
const counts = new Map();

function pass(name) {
  const count = (counts.get(name) ?? 0) + 1;
  counts.set(name, count);
  if (name === step && count === Number(at)) process.kill(process.pid, 'SIGKILL');
}

const { prototype } = StatementSync;
const run = Reflect.get(prototype, 'run');
prototype.run = function runOrDie(...values) {
  const stores = this.sourceSQL.startsWith('UPDATE logs');
  if (stores) pass('before-store');
  const result = run.apply(this, values);
  if (stores) pass('after-store');
  return result;
};

const { sign } = crypto;
crypto.sign = (...values) => {
  pass('before-sign');
  const signature = sign(...values);
  pass('after-sign');
  return signature;
};
syncBuiltinESMExports();
