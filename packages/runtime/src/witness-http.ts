/** @module One request to a witness over HTTP: no redirect is followed, and no more than a bounded answer is read. */
import { RUNTIME_LIMITS as LIMITS } from './limits.ts';

export interface WitnessReply {
  readonly status: number;
  /** Without parameters; empty where there is none. */
  readonly contentType: string;
  /** Undefined where it is longer than a witness has any reason for, or is not UTF-8. */
  readonly body: string | undefined;
}

/** Sends one `add-checkpoint`. Rejects where no whole answer came. */
export type WitnessPost = (url: string, body: string, signal: AbortSignal) => Promise<WitnessReply>;

async function readText(response: Response): Promise<string | undefined> {
  const parts: Uint8Array[] = [];
  let total = 0;
  // Leaving the loop early gives the connection up.
  for await (const part of response.body ?? []) {
    total += part.length;
    if (total > LIMITS.witnessAnswerBytesMax) return undefined;
    parts.push(part);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(parts));
  } catch {
    return undefined;
  }
}

/** Over Node's own client, which keeps connections open between publications. */
export const postToWitness: WitnessPost = async (url, body, signal) => {
  const headers = { 'content-type': 'text/plain; charset=utf-8' };
  const response = await fetch(`${url}/add-checkpoint`, { method: 'POST', redirect: 'error', headers, body, signal });
  const [contentType = ''] = (response.headers.get('content-type') ?? '').split(';', 1);
  return { status: response.status, contentType: contentType.trim().toLowerCase(), body: await readText(response) };
};
