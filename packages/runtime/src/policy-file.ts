/**
 * @module A policy file that is watched: what it says is in force within a second of its change, whole or not at all. Looked at on events of its
 * directory (editors and mounts replace files rather than write them) and, because such events can be lost, every half second; read again
 * only to see whether the bytes are others, and taken only once they stand still: half of a file may be a policy too (POL-280, POL-281).
 */
import { type FSWatcher, watch } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { sha256Hex } from '@countersign/crypto';
import { codeOf, err, type Fault, ok, type Result } from '@countersign/kernel';
import type { Ports } from '@countersign/pipeline';
import { POLICY_LIMITS } from '@countersign/policy';
import { RUNTIME_LIMITS } from './limits.ts';
import type { PolicyInForce } from './policy-in-force.ts';

export interface PolicyFileOptions {
  /** Absolute. */
  readonly path: string;
  readonly policy: Pick<PolicyInForce, 'set' | 'refuse'>;
  readonly timer: Ports['timer'];
  readonly warn: (message: string) => void;
}

export interface PolicyFile {
  /** Ends the watching; resolves when nothing is under way. Idempotent. */
  close(): Promise<void>;
}

interface Content {
  readonly text: string;
  readonly hash: string;
}

function unreadable(message: string): Result<Content, Fault> {
  return err({ code: 'policy_file_unreadable', message });
}

async function readContent(path: string): Promise<Result<Content, Fault>> {
  try {
    const handle = await open(path, 'r');
    try {
      const bytes = new Uint8Array(POLICY_LIMITS.documentBytesMax + 1);
      let size = 0;
      for (let read = -1; read !== 0 && size < bytes.length; size += read)
        ({ bytesRead: read } = await handle.read(bytes, size, bytes.length - size));
      if (size > POLICY_LIMITS.documentBytesMax)
        return unreadable(`the policy file is larger than ${POLICY_LIMITS.documentBytesMax} bytes`);
      const content = bytes.subarray(0, size);
      return ok({ text: new TextDecoder('utf-8', { fatal: true }).decode(content), hash: sha256Hex(content) });
    } finally {
      await handle.close();
    }
  } catch (error) {
    return unreadable(`the policy file cannot be read (${codeOf(error)})`);
  }
}

/** What tells one content from another; a fault is told from others by what it says. */
function keyOf(content: Result<Content, Fault>): string {
  return content.ok ? content.value.hash : content.error.message;
}

class Watched implements PolicyFile {
  readonly #options: PolicyFileOptions;
  readonly #watcher: FSWatcher | undefined;
  /** What was last taken up or refused. */
  #taken: string;
  #work: Promise<void> | undefined;
  #again = false;
  #closed = false;
  #cancel: () => void = () => undefined;
  /** Ends a wait early, when it is closed. */
  #wake: () => void = () => undefined;

  constructor(options: PolicyFileOptions, taken: string) {
    this.#options = options;
    this.#taken = taken;
    this.#watcher = this.#watchDirectory();
    this.#pollLater();
  }

  #watchDirectory(): FSWatcher | undefined {
    const { path, warn } = this.#options;
    const lost = (error: unknown): void =>
      warn(`the policy file is looked at on a clock only: events are not to be had (${codeOf(error)})`);
    try {
      const watcher = watch(dirname(path), { persistent: false }, () => this.#look());
      watcher.on('error', lost);
      return watcher;
    } catch (error) {
      lost(error);
      return undefined;
    }
  }

  #pollLater(): void {
    if (this.#closed) return;
    this.#cancel = this.#options.timer.after(RUNTIME_LIMITS.policyPollMs, () => {
      this.#look();
      this.#pollLater();
    });
  }

  /** One look at a time; what is heard of meanwhile is looked at after it. */
  #look(): void {
    this.#again = true;
    if (this.#closed || this.#work !== undefined) return;
    this.#work = this.#lookUntilStill().finally(() => {
      this.#work = undefined;
    });
  }

  async #lookUntilStill(): Promise<void> {
    while (this.#again && !this.#closed) {
      this.#again = false;
      await this.#lookOnce();
    }
  }

  async #lookOnce(): Promise<void> {
    const { path } = this.#options;
    const seen = await readContent(path);
    if (keyOf(seen) === this.#taken) return;
    await this.#rest();
    const content = await readContent(path);
    // Still moving: the event that follows, or the clock, has it looked at again.
    if (keyOf(content) !== keyOf(seen)) this.#again = true;
    else if (!this.#closed) await this.#take(content);
  }

  #rest(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.timer.after(RUNTIME_LIMITS.policyRestMs, resolve);
      this.#wake = (): void => {
        cancel();
        resolve();
      };
    });
  }

  async #take(content: Result<Content, Fault>): Promise<void> {
    const { path, policy, warn } = this.#options;
    this.#taken = keyOf(content);
    const set = content.ok ? await policy.set(content.value.text, nameOf(path), 'file') : content;
    if (set.ok) return;
    if (!content.ok) await policy.refuse(set.error, 'file');
    warn(`the policy file is refused, the policy before it stays in force: ${set.error.message}`);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#watcher?.close();
    this.#cancel();
    this.#wake();
    await this.#work;
  }
}

function nameOf(path: string): string {
  return basename(path).replace(/\.ya?ml$/i, '');
}

/**
 * Puts the file in force, then watches it.
 * @returns The fault where the file is no policy now: whoever starts has to know.
 */
export async function openPolicyFile(options: PolicyFileOptions): Promise<Result<PolicyFile, Fault>> {
  const content = await readContent(options.path);
  if (!content.ok) return content;
  const set = await options.policy.set(content.value.text, nameOf(options.path), 'file');
  return set.ok ? ok(new Watched(options, content.value.hash)) : set;
}
