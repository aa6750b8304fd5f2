/**
 * @module A policy made of recorded events: it permits what was seen, and nothing that was not. Directories of files, hosts and tools by name, counts with
 * room to spare as budgets of a posture. A proposal: whoever puts it in force reads the remarks first.
 */
import { stringify } from 'yaml';
import type { JsonObject, JsonValue } from '@countersign/kernel';
import { POLICY_LIMITS } from './limits.ts';
import type { PolicyEvent } from './policy-event.ts';
import type { Budget, Capability } from './posture.ts';

/** What a person should look at before the policy is in force. */
export interface SynthesisRemark {
  readonly code: 'relative_path' | 'root_directory' | 'pattern_in_path' | 'shell_not_bounded' | 'not_covered' | 'too_many';
  readonly text: string;
}

export interface SynthesisOptions {
  /** What the policy extends; absent: nothing. */
  readonly extends?: string;
  /** With a posture `work` and `quarantine`. */
  readonly posture: boolean;
}

export interface Synthesis {
  /** YAML. */
  readonly document: string;
  readonly remarks: readonly SynthesisRemark[];
  readonly events: number;
}

interface Seen {
  readonly capability: Capability;
  readonly budget?: Budget;
}

const SEEN: ReadonlyMap<string, Seen> = new Map<string, Seen>([
  ['file_read', { capability: 'file_access' }],
  ['file_write', { capability: 'file_write', budget: 'file_writes' }],
  ['patch_apply', { capability: 'patch', budget: 'patches' }],
  ['network_egress', { capability: 'egress', budget: 'egress_calls' }],
  ['command_exec', { capability: 'shell', budget: 'shell_commands' }],
  ['tool_call', { capability: 'mcp_tool', budget: 'mcp_tool_calls' }],
]);

/** As many as were seen, and a fifth more, at least five. */
function withRoom(count: number): number {
  return count + Math.max(5, Math.ceil(count / 5));
}

function sorted(texts: Iterable<string>): readonly string[] {
  return [...new Set(texts)].toSorted();
}

/** Events one by one, then the policy. Memory grows with what is different in them, up to the limits of a policy. */
export class PolicySynthesis {
  readonly #read = new Set<string>();
  readonly #written = new Set<string>();
  readonly #patched = new Set<string>();
  readonly #hosts = new Set<string>();
  readonly #tools = new Set<string>();
  readonly #capabilities = new Set<Capability>();
  readonly #counts = new Map<Budget, number>();
  readonly #remarks = new Map<string, SynthesisRemark>();
  #events = 0;

  #remark(code: SynthesisRemark['code'], text: string): void {
    this.#remarks.set(code, { code, text });
  }

  #keep(set: Set<string>, entry: string): void {
    if (set.has(entry) || set.size < POLICY_LIMITS.listMax) set.add(entry);
    else
      this.#remark(
        'too_many',
        `more different entries than a list may have (${String(POLICY_LIMITS.listMax)}): the last ones are left out`,
      );
  }

  /** Everything in the directory of a file; the file alone where that would be everything there is. */
  #pattern(path: string): string | undefined {
    if (/[*?[\]{}]|\$\{/.test(path)) {
      this.#remark('pattern_in_path', 'a path holds characters of patterns and is left out: an entry for it would cover others');
      return undefined;
    }
    const directory = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    if (!path.startsWith('/')) {
      this.#remark('relative_path', 'a path is relative: it stands as it is, and holds only where it is written so');
      return path;
    }
    if (directory !== '' && !/\/\.{1,2}(?:\/|$)/.test(path)) return `${directory}/**`;
    this.#remark('root_directory', 'a file stands in the root directory, or its path climbs: it is listed by itself, not by its directory');
    return path;
  }

  #path(path: string, sets: readonly Set<string>[]): void {
    const pattern = this.#pattern(path);
    if (pattern !== undefined) for (const set of sets) this.#keep(set, pattern);
  }

  add({ type, resource }: PolicyEvent): void {
    this.#events += 1;
    const seen = SEEN.get(type);
    if (seen === undefined) {
      this.#remark(
        'not_covered',
        'events of other types (secrets, custom, computer use) are left to what the policy extends and to the defaults',
      );
      return;
    }
    this.#capabilities.add(seen.capability);
    if (seen.budget !== undefined) this.#counts.set(seen.budget, (this.#counts.get(seen.budget) ?? 0) + 1);
    if (type === 'file_read') this.#path(resource.name, [this.#read]);
    else if (type === 'file_write') this.#path(resource.name, [this.#read, this.#written]);
    else if (type === 'patch_apply') this.#path(resource.name, [this.#patched]);
    else if (type === 'network_egress') this.#keep(this.#hosts, resource.name.toLowerCase());
    else if (type === 'tool_call') this.#keep(this.#tools, resource.name);
    else
      this.#remark('shell_not_bounded', 'commands were seen: the policy does not list them, it only counts them, where it has a posture');
  }

  #guards(): JsonObject {
    return {
      path_allowlist: {
        enabled: true,
        file_access_allow: sorted(this.#read),
        file_write_allow: sorted(this.#written),
        // Where nothing was patched, the list of writes holds for patches.
        patch_allow: sorted(this.#patched),
      },
      egress_allowlist: { enabled: true, allow: sorted(this.#hosts), default_action: 'block' },
      mcp_tool: { enabled: true, allow: sorted(this.#tools), default_action: 'block' },
    };
  }

  #posture(): JsonObject {
    const budgets = Object.fromEntries([...this.#counts].map(([budget, count]): [string, JsonValue] => [budget, withRoom(count)]));
    return {
      initial: 'work',
      states: {
        work: { description: 'What was seen, with room to spare', capabilities: sorted(this.#capabilities), budgets },
        quarantine: { description: 'After a critical violation', capabilities: [] },
      },
      transitions: [{ from: '*', to: 'quarantine', on: 'critical_violation' }],
    };
  }

  finish(options: SynthesisOptions): Synthesis {
    const content = {
      version: options.posture ? '1.2.0' : '1.5.0',
      name: 'Synthesized Policy',
      description: `Made of ${String(this.#events)} recorded events`,
      ...(options.extends === undefined ? {} : { extends: options.extends }),
      guards: this.#guards(),
      ...(options.posture ? { posture: this.#posture() } : {}),
    };
    return { document: stringify(content, { lineWidth: 0 }), remarks: [...this.#remarks.values()], events: this.#events };
  }
}
