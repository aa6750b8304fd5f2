/**
 * @module A policy file that is watched, with every file that it extends: what it says is in force within a second of a change, whole or not at
 * all. Looked at on events of the directories (editors and mounts replace files rather than write them) and, because such events can be lost, every
 * half second; read again only to see whether the bytes are others, and taken only once they stand still: half of a file may be a policy too
 * (POL-280, POL-281, POL-288).
 */
import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { codeOf, type Fault, ok, type Result } from '@countersign/kernel';
import type { Ports } from '@countersign/pipeline';
import { RUNTIME_LIMITS } from './limits.ts';
import { type ChainWorld, isUnchanged, type PolicyChain, readPolicyChain, type SeenFile } from './policy-chain.ts';
import type { PolicyInForce } from './policy-in-force.ts';

export interface PolicyFileOptions extends ChainWorld {
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

function statesOf(files: readonly SeenFile[]): string {
  return JSON.stringify(files.map(({ path, realPath = '', state }) => [path, realPath, state]));
}

/** What tells one reading from another; a fault is told from others by what it says. */
function keyOf({ text, files }: PolicyChain): string {
  return text.ok ? statesOf(files) : `${statesOf(files)} ${text.error.code} ${text.error.message}`;
}

/** Refused because somebody elsewhere did not answer: that can change without a change here. */
function isFarFault({ text }: PolicyChain): boolean {
  return !text.ok && text.error.code === 'policy_source_unreachable';
}

/** Events of the directories that the files stand in, and of those that their links lead to. */
class Directories {
  readonly #heard: () => void;
  readonly #warn: (message: string) => void;
  readonly #watchers = new Map<string, FSWatcher | undefined>();

  constructor(heard: () => void, warn: (message: string) => void) {
    this.#heard = heard;
    this.#warn = warn;
  }

  #watch(directory: string): FSWatcher | undefined {
    const lost = (error: unknown): void =>
      this.#warn(`the policy file is looked at on a clock only: events are not to be had (${codeOf(error)})`);
    try {
      const watcher = watch(directory, { persistent: false }, this.#heard);
      watcher.on('error', lost);
      return watcher;
    } catch (error) {
      lost(error);
      return undefined;
    }
  }

  follow(files: readonly SeenFile[]): void {
    const wanted = new Set(files.flatMap(({ path, realPath }) => [path, ...(realPath === undefined ? [] : [realPath])].map(dirname)));
    for (const [directory, watcher] of this.#watchers) {
      if (wanted.has(directory)) continue;
      watcher?.close();
      this.#watchers.delete(directory);
    }
    for (const directory of wanted) if (!this.#watchers.has(directory)) this.#watchers.set(directory, this.#watch(directory));
  }

  close(): void {
    for (const watcher of this.#watchers.values()) watcher?.close();
    this.#watchers.clear();
  }
}

class Watched implements PolicyFile {
  readonly #options: PolicyFileOptions;
  readonly #directories: Directories;
  /** What was last taken up or refused. */
  #taken: PolicyChain;
  #polls = 0;
  #work: Promise<void> | undefined;
  #again = false;
  #closed = false;
  #cancel: () => void = () => undefined;
  /** Ends a wait early, when it is closed. */
  #wake: () => void = () => undefined;

  constructor(options: PolicyFileOptions, taken: PolicyChain) {
    this.#options = options;
    this.#taken = taken;
    this.#directories = new Directories(() => this.#look(), options.warn);
    this.#directories.follow(taken.files);
    this.#pollLater();
  }

  #pollLater(): void {
    if (this.#closed) return;
    this.#cancel = this.#options.timer.after(RUNTIME_LIMITS.policyPollMs, () => {
      this.#polls += 1;
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

  async #isAsItWas(): Promise<boolean> {
    const { files } = this.#taken;
    if (isFarFault(this.#taken) && this.#polls >= RUNTIME_LIMITS.policyRetryPolls) return false;
    return isUnchanged(files, this.#options);
  }

  async #lookOnce(): Promise<void> {
    if (await this.#isAsItWas()) return;
    this.#polls = 0;
    const first = await this.#read();
    await this.#rest();
    const chain = await this.#read();
    // Still moving: the event that follows, or the clock, has it looked at again.
    if (keyOf(chain) !== keyOf(first)) this.#again = true;
    else if (!this.#closed && keyOf(chain) !== keyOf(this.#taken)) await this.#take(chain);
  }

  /** Files that are new to the chain are heard of from here on. */
  async #read(): Promise<PolicyChain> {
    const chain = await readPolicyChain(this.#options.path, this.#options);
    if (!this.#closed) this.#directories.follow([...this.#taken.files, ...chain.files]);
    return chain;
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

  async #take(chain: PolicyChain): Promise<void> {
    const { path, policy, warn } = this.#options;
    this.#taken = chain;
    this.#directories.follow(chain.files);
    const { text } = chain;
    const set = text.ok ? await policy.set(text.value, nameOf(path), 'file') : text;
    if (set.ok) return;
    if (!text.ok) await policy.refuse(set.error, 'file');
    warn(`the policy file is refused, the policy before it stays in force: ${set.error.message}`);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#directories.close();
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
  const chain = await readPolicyChain(options.path, options);
  if (!chain.text.ok) return chain.text;
  const set = await options.policy.set(chain.text.value, nameOf(options.path), 'file');
  return set.ok ? ok(new Watched(options, chain)) : set;
}
