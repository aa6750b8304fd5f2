/**
 * @module The look-up of one connection: the addresses it hands on are those it checked, so there is no second answer to trust.
 */
import { isIP, type LookupFunction } from 'node:net';
import { CodedError } from '@countersign/kernel';
import { isPublicAddress } from './address-guard.ts';
import { GATEWAY_LIMITS as LIMITS } from './limits.ts';

/** All addresses of a host name. Throws when there is none. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/** The refusal to go somewhere; its code is the reason. */
export function blocked(reason: string): CodedError {
  return new CodedError({ code: reason, message: `the upstream was refused: ${reason}` });
}

/** Resolves for one connection: every address must be public, or none is used. */
export function guardedLookup(resolve: Resolve): LookupFunction {
  return (hostname, options, callback) => {
    const answer = async (): Promise<readonly { readonly address: string; readonly family: number }[]> => {
      const addresses = await resolve(hostname);
      if (addresses.length === 0 || addresses.length > LIMITS.egressAddressesMax || !addresses.every(isPublicAddress))
        throw blocked('ssrf_blocked');
      return addresses.map((address) => ({ address, family: isIP(address) }));
    };
    answer().then(
      (found) => {
        const first = found[0];
        if (options.all === true) callback(null, [...found]);
        else if (first !== undefined) callback(null, first.address, first.family);
      },
      (error: unknown) => callback(error instanceof Error ? error : blocked('ssrf_blocked'), '', 0),
    );
  };
}
