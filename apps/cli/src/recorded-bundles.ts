/** @module Every receipt of an installation, one bundle after the other, with its inputs. */
import type { Context } from './command.ts';
import { CLI_LIMITS } from './limits.ts';
import type { Operator } from './operator.ts';
import { entryId } from './operator-directory.ts';
import { openOperator } from './open-operator.ts';

async function* eachId(operator: Operator, max: number): AsyncGenerator<string, void, undefined> {
  const size = Math.min(await operator.size(), max);
  for (let from = 0; from < size; from += CLI_LIMITS.pageMax) {
    const page = await operator.entries(from, Math.min(CLI_LIMITS.pageMax, size - from));
    const ids = page.map(({ entry }) => entryId(entry));
    yield* ids.filter((id) => id !== undefined);
  }
}

/** At most `max` entries, oldest first. Entries without an id (there are none of ours) are left out. */
export async function* eachBundle(context: Context, max: number): AsyncGenerator<Uint8Array, void, undefined> {
  const operator = await openOperator(context, { create: false });
  try {
    for await (const id of eachId(operator, max)) yield await operator.bundle(id);
  } finally {
    await operator.close();
  }
}
