/** @module Finding whoever can answer: the gateway that this data directory belongs to where it runs, else the directory itself. */
import type { Context } from './command.ts';
import type { Operator } from './operator.ts';
import { openDirectory } from './operator-directory.ts';
import { findGateway } from './operator-gateway.ts';

/** `create` makes a data directory where there is none. */
export async function openOperator(context: Context, options: { readonly create: boolean }): Promise<Operator> {
  return (await findGateway(context)) ?? (await openDirectory(context, options.create));
}
