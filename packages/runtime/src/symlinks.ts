/**
 * @module Where the paths of an action really lead on this machine. Asked once, before the judge, and recorded as signals: a replay
 * reads the recorded answers and never the disk.
 */
import { realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { normalizePath } from '@countersign/facts';
import { CodedError, isJsonObject, type JsonValue } from '@countersign/kernel';
import type { SignalSource } from '@countersign/pipeline';
import type { Action, Signal } from '@countersign/protocol';
import { RUNTIME_LIMITS } from './limits.ts';

const KINDS: ReadonlySet<string> = new Set(['file.read', 'file.write', 'file.patch']);
const PATH_CHARS_MAX = 4096;

function* stringsOf(value: JsonValue | undefined): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (Array.isArray(value)) for (const item of value as readonly JsonValue[]) yield* stringsOf(item);
  else if (isJsonObject(value)) for (const item of Object.values(value)) yield* stringsOf(item);
}

function looksLikePath(text: string): boolean {
  return text.length <= PATH_CHARS_MAX && !text.includes('\n') && /[/\\.~]/.test(text);
}

/** The real path, or that of the parent where the file is yet to be made; undefined where neither is there. */
async function resolved(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch {
    try {
      return join(await realpath(dirname(path)), basename(path));
    } catch {
      return undefined; // Nothing is there: nothing can mislead.
    }
  }
}

function tooManyPaths(): CodedError {
  return new CodedError({ code: 'too_many_paths', message: `a file action names at most ${RUNTIME_LIMITS.pathsMax} paths` });
}

/** Follows the symlinks of file actions; silent for everything else. Throws `too_many_paths` rather than leave one unfollowed. */
export function createSymlinkSource(): SignalSource {
  return {
    async signalsFor(action: Action): Promise<readonly Signal[]> {
      if (!KINDS.has(action.kind)) return [];
      const signals: Signal[] = [];
      let asked = 0;
      for (const text of stringsOf(action.params)) {
        if (!looksLikePath(text)) continue;
        asked += 1;
        if (asked > RUNTIME_LIMITS.pathsMax) throw tooManyPaths();
        const { normalized } = normalizePath(text);
        const real = await resolved(normalized.startsWith('~/') ? join(homedir(), normalized.slice(2)) : normalized);
        if (real !== undefined && real !== normalized) signals.push({ kind: 'symlink', subject: normalized, value: real });
      }
      return signals;
    },
  };
}
