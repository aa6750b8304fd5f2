/**
 * @module The witnesses of a log: all are asked at once for each checkpoint, within a limit of time. One that fails is left alone for a
 * while that grows, so that it delays a publication at most once each time.
 */
import type { Clock } from '@countersign/kernel';
import type { Cosign, ProveSince } from '@countersign/log';
import type { Ports } from '@countersign/pipeline';
import { RUNTIME_LIMITS as LIMITS } from './limits.ts';
import { type Asked, createWitnessClient, type WitnessClient, type WitnessErrorCode, type WitnessRequest } from './witness-client.ts';
import type { WitnessConfig } from './witness-config.ts';
import { postToWitness, type WitnessPost } from './witness-http.ts';

export interface WitnessesOptions {
  readonly config: WitnessConfig;
  readonly clock: Clock;
  readonly timer: Ports['timer'];
  readonly post?: WitnessPost;
}

export interface WitnessStatus {
  readonly name: string;
  readonly url: string;
  /** The last checkpoint it cosigned for this process: its size, and the second that the witness wrote on it. */
  readonly cosigned: { readonly size: number; readonly seconds: number } | undefined;
  /** Why it failed last, and when by our clock; undefined once it has cosigned again. */
  readonly error: { readonly code: WitnessErrorCode; readonly atMs: number; readonly pauseMs: number } | undefined;
}

export interface WitnessesStatus {
  readonly quorum: number;
  /** Of the newest checkpoint that they were asked about: its size, and how many cosigned it. */
  readonly newest: { readonly size: number; readonly cosignatures: number } | undefined;
  /** Whether the newest checkpoint has as many cosignatures as the quorum asks for. */
  readonly reached: boolean;
  readonly witnesses: readonly WitnessStatus[];
}

export interface Witnesses {
  readonly cosign: Cosign;
  status(): WitnessesStatus;
}

interface Member {
  readonly name: string;
  readonly url: string;
  readonly client: WitnessClient;
  cosigned: WitnessStatus['cosigned'];
  error: WitnessStatus['error'];
}

/** A clock that jumped back must not make a pause longer. */
function isPaused({ error }: Member, nowMs: number): boolean {
  return error !== undefined && nowMs >= error.atMs && nowMs - error.atMs < error.pauseMs;
}

function note(member: Member, asked: Asked, { size, nowMs }: { readonly size: number; readonly nowMs: number }): void {
  if (asked.cosigned) {
    member.cosigned = { size, seconds: asked.seconds };
    member.error = undefined;
    return;
  }
  const pauseMs = member.error === undefined ? LIMITS.witnessPauseMsMin : Math.min(member.error.pauseMs * 2, LIMITS.witnessPauseMsMax);
  member.error = { code: asked.code, atMs: nowMs, pauseMs };
}

/** Witnesses of one size need one proof. */
function sharedProofs(prove: ProveSince): ProveSince {
  const made = new Map<number, Promise<readonly Uint8Array[]>>();
  return (oldSize) => {
    const known = made.get(oldSize) ?? prove(oldSize);
    made.set(oldSize, known);
    return known;
  };
}

const LATE: Asked = { cosigned: false, code: 'witness_timeout' };

/** Whatever a witness or a proof waits for, the answer is there when the time is over. */
function within(request: WitnessRequest, client: WitnessClient): Promise<Asked> {
  const late = new Promise<Asked>((resolve) => {
    request.signal.addEventListener('abort', () => resolve(LATE), { once: true });
  });
  return Promise.race([client.ask(request), late]);
}

export function createWitnesses({ config, clock, timer, post = postToWitness }: WitnessesOptions): Witnesses {
  const members = config.witnesses.map(({ url, cosigner }): Member => ({
    name: cosigner.name,
    url,
    client: createWitnessClient({ key: cosigner, url, post }),
    cosigned: undefined,
    error: undefined,
  }));
  let newest: WitnessesStatus['newest'];

  const cosign: Cosign = async (checkpoint, prove) => {
    if (members.length === 0) return [];
    const asked = members.filter((member) => !isPaused(member, clock.nowMs()));
    const over = new AbortController();
    const cancel = timer.after(LIMITS.cosignMs, () => over.abort());
    const request: WitnessRequest = { checkpoint, prove: sharedProofs(prove), signal: over.signal };
    const answers = await Promise.all(asked.map(async (member) => ({ member, answer: await within(request, member.client) })));
    cancel();
    for (const { member, answer } of answers) note(member, answer, { size: checkpoint.size, nowMs: clock.nowMs() });
    const lines = answers.flatMap(({ answer }) => (answer.cosigned ? [answer.line] : []));
    newest = { size: checkpoint.size, cosignatures: lines.length };
    return lines;
  };

  return {
    cosign,
    status: () => ({
      quorum: config.quorum,
      newest,
      reached: (newest?.cosignatures ?? 0) >= config.quorum,
      witnesses: members.map(({ name, url, cosigned, error }) => ({ name, url, cosigned, error })),
    }),
  };
}
