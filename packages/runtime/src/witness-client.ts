/** @module One witness as a log sees it: what size it knows, what to send, and what its answer is worth. */
import { base64, noteSignatureLine, openNote } from '@countersign/crypto';
import { cosignatureSeconds, type Checkpoint, type CosignerKey, type ProveSince } from '@countersign/log';
import { RUNTIME_LIMITS as LIMITS } from './limits.ts';
import type { WitnessPost, WitnessReply } from './witness-http.ts';

/** Why a witness did not cosign. Add-only. */
export type WitnessErrorCode =
  | 'witness_unreachable' // no whole answer came
  | 'witness_timeout' // none within the limit of time
  | 'witness_malformed' // it says that the request is malformed
  | 'witness_untrusted_key' // it does not know the key of this log
  | 'witness_unknown_log' // it does not know the origin of this log
  | 'witness_conflict' // it knows another root at this size: this log has forked
  | 'witness_ahead' // it knows a larger tree: this log was rolled back, or runs twice
  | 'witness_proof_refused' // it says that the proof does not hold
  | 'witness_status' // it answered with a status that the protocol does not have
  | 'witness_answer_malformed' // its answer is not what the protocol says
  | 'witness_bad_signature' // the line it returned does not verify under its configured key
  | 'witness_unsteady' // it named another size each time
  | 'witness_no_proof'; // this log could not make the proof

export type Asked =
  | { readonly cosigned: true; readonly line: string; readonly seconds: number }
  | { readonly cosigned: false; readonly code: WitnessErrorCode };

export interface WitnessRequest {
  readonly checkpoint: Checkpoint;
  readonly prove: ProveSince;
  readonly signal: AbortSignal;
}

export interface WitnessClient {
  /** The size that it is thought to know; where nothing is known, 0, and it will say another. */
  readonly size: number;
  /** Asks for one cosignature, again where it names another size. Never rejects; ends when what it waits for does. */
  ask(request: WitnessRequest): Promise<Asked>;
}

const BY_STATUS: ReadonlyMap<number, WitnessErrorCode> = new Map([
  [400, 'witness_malformed'],
  [403, 'witness_untrusted_key'],
  [404, 'witness_unknown_log'],
  [422, 'witness_proof_refused'],
]);
const SIZE = /^(0|[1-9][0-9]{0,15})\n?$/;

function refused(code: WitnessErrorCode): Asked {
  return { cosigned: false, code };
}

/** The text of a note that we signed ourselves. */
function textOf(note: string): string {
  return note.slice(0, note.lastIndexOf('\n\n') + 1);
}

function bodyOf(oldSize: number, proof: readonly Uint8Array[], note: string): string {
  return `old ${oldSize}\n${proof.map((hash) => `${base64(hash)}\n`).join('')}\n${note}`;
}

/** The size that a 409 names. */
function sizeOf({ contentType, body }: WitnessReply): number | undefined {
  const size = contentType === 'text/x.tlog.size' ? Number(SIZE.exec(body ?? '')?.[1]) : Number.NaN;
  return Number.isSafeInteger(size) ? size : undefined;
}

/** The witness's line, where one verifies under its key: put under the very text that is published. */
function lineOf(reply: WitnessReply, text: string, key: CosignerKey): Asked {
  if (reply.body === undefined || reply.body === '') return refused('witness_answer_malformed');
  const opened = openNote(`${text}\n${reply.body}`, [key]);
  if (!opened.ok) return refused(opened.error.code === 'note_malformed' ? 'witness_answer_malformed' : 'witness_bad_signature');
  const [signature] = opened.value.signatures;
  const seconds = signature === undefined ? undefined : cosignatureSeconds(signature.signature);
  // SECURITY: an empty line in the answer moves the end of the text; what was verified must be what is published.
  if (signature === undefined || seconds === undefined || opened.value.text !== text) return refused('witness_answer_malformed');
  return { cosigned: true, line: noteSignatureLine(signature), seconds: Number(seconds) };
}

type Step = { readonly done: Asked } | { readonly next: number };

export interface WitnessClientOptions {
  readonly key: CosignerKey;
  readonly url: string;
  readonly post: WitnessPost;
}

async function send(options: WitnessClientOptions, request: WitnessRequest, from: number): Promise<Step> {
  const { checkpoint, prove, signal } = request;
  let proof: readonly Uint8Array[];
  try {
    proof = await prove(from);
  } catch {
    return { done: refused('witness_no_proof') };
  }
  let reply: WitnessReply;
  try {
    reply = await options.post(options.url, bodyOf(from, proof, checkpoint.note), signal);
  } catch {
    return { done: refused(signal.aborted ? 'witness_timeout' : 'witness_unreachable') };
  }
  if (reply.status === 200) return { done: lineOf(reply, textOf(checkpoint.note), options.key) };
  if (reply.status !== 409) return { done: refused(BY_STATUS.get(reply.status) ?? 'witness_status') };
  const size = sizeOf(reply);
  if (size === undefined) return { done: refused('witness_answer_malformed') };
  return size === from ? { done: refused('witness_conflict') } : { next: size };
}

export function createWitnessClient(options: WitnessClientOptions): WitnessClient {
  let size = 0;
  return {
    get size() {
      return size;
    },
    ask: async (request) => {
      const { checkpoint } = request;
      for (let asks = 0; asks < LIMITS.witnessAsksMax; asks += 1) {
        if (size > checkpoint.size) return refused('witness_ahead');
        const step = await send(options, request, size);
        if ('next' in step) {
          size = step.next;
          continue;
        }
        if (step.done.cosigned) size = checkpoint.size;
        return step.done;
      }
      return refused('witness_unsteady');
    },
  };
}
