/**
 * @module One policy document over https: from a host that the operator named, over an address that was resolved once, with a bounded
 * answer. Redirects stay on their host. Whether the bytes are the pinned ones is checked by who asked.
 */
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { LookupFunction } from 'node:net';
import { codeOf, err, type Fault, ok, type Result } from '@countersign/kernel';
import { type HttpsReference, POLICY_LIMITS } from '@countersign/policy';
import { RUNTIME_LIMITS } from './limits.ts';
import { type PinnedAddress, pinAddress, type PolicyHosts, type ResolveHost } from './policy-hosts.ts';

interface Target {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly address: PinnedAddress;
  readonly ca: string | undefined;
}

type Answer = { readonly bytes: Uint8Array } | { readonly location: string };

function failed(message: string): Result<never, Fault> {
  return err({ code: 'policy_source_unreachable', message });
}

/** The name is not resolved a second time: what was checked is what is connected to. */
function pinnedLookup({ address, family }: PinnedAddress): LookupFunction {
  return (_host, options, done) => {
    if (options.all === true) done(null, [{ address, family }]);
    else done(null, address, family);
  };
}

async function readBody(response: IncomingMessage): Promise<Result<Answer, Fault>> {
  const parts: Uint8Array[] = [];
  let total = 0;
  for await (const part of response as AsyncIterable<Uint8Array>) {
    total += part.length;
    if (total > POLICY_LIMITS.fetchBytesMax) {
      response.destroy();
      return err({ code: 'policy_too_large', message: `larger than ${String(POLICY_LIMITS.fetchBytesMax)} bytes` });
    }
    parts.push(part);
  }
  return ok({ bytes: new Uint8Array(Buffer.concat(parts)) });
}

async function readAnswer(response: IncomingMessage): Promise<Result<Answer, Fault>> {
  const { statusCode = 0, headers } = response;
  const { location } = headers;
  if (statusCode === 200 && headers['content-encoding'] === undefined) return readBody(response);
  response.destroy();
  if ([301, 302, 303, 307, 308].includes(statusCode) && location !== undefined) return ok({ location });
  return failed(
    statusCode === 200 ? 'the answer is encoded in a way that was not asked for' : `the host answered with status ${String(statusCode)}`,
  );
}

async function ask(target: Target): Promise<Result<Answer, Fault>> {
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = request(
        {
          host: target.host,
          servername: target.host,
          port: target.port,
          path: target.path,
          lookup: pinnedLookup(target.address),
          agent: false,
          headers: { 'accept-encoding': 'identity', accept: '*/*', 'user-agent': 'countersign' },
          maxHeaderSize: 16_384,
          signal: AbortSignal.timeout(RUNTIME_LIMITS.policyFetchMs),
          ...(target.ca !== undefined && { ca: target.ca }),
        },
        resolve,
      );
      sent.on('error', reject);
      sent.end();
    });
    return await readAnswer(response);
  } catch (error) {
    return failed(`the host \`${target.host}\` cannot be reached (${codeOf(error)})`);
  }
}

/** Where a redirect leads, if it stays on its host and port; undefined otherwise. */
function redirected(target: Target, location: string): string | undefined {
  const from = new URL(`https://${target.host}:${String(target.port)}${target.path}`);
  const to = URL.parse(location, from.href);
  const same = to?.protocol === 'https:' && to.host === from.host && to.username === '' && to.password === '';
  return same ? `${to.pathname}${to.search}` : undefined;
}

/** Fetches what a reference names. */
export async function fetchPinned(
  reference: HttpsReference,
  hosts: PolicyHosts,
  world: { readonly resolveHost: ResolveHost; readonly ca?: string | undefined },
): Promise<Result<Uint8Array, Fault>> {
  const { host, port } = reference;
  const address = await pinAddress(host, hosts, world.resolveHost);
  if (!address.ok) return address;
  let path: string | undefined = reference.path;
  for (let hop = 0; hop <= RUNTIME_LIMITS.policyRedirectsMax; hop += 1) {
    const target: Target = { host, port, path, address: address.value, ca: world.ca };
    const answer = await ask(target);
    if (!answer.ok) return answer;
    if ('bytes' in answer.value) return ok(answer.value.bytes);
    path = redirected(target, answer.value.location);
    if (path === undefined) return failed(`the host \`${host}\` leads elsewhere, and only redirects on one host are followed`);
  }
  return failed(`the host \`${host}\` redirects more than ${String(RUNTIME_LIMITS.policyRedirectsMax)} times`);
}
