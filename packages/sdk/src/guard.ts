/**
 * @module `guard(fn, options)`: the same function, but it runs only after a yes, on exactly the arguments that were judged.
 * There is no option to fail open.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '@countersign/kernel';
import type { Answer } from './answer.ts';
import type { Countersigner } from './countersigner.ts';
import { descriptorHash } from './descriptor.ts';
import { CountersignBlockedError } from './errors.ts';
import { copyJson } from './frozen-json.ts';
import { withScopeToken } from './scope.ts';

export interface GuardOptions {
  /** Canonical tool name, e.g. `database.query`. */
  readonly toolName: string;
  /** Who is asked: a `CountersignClient`, or an embedded one. */
  readonly client: Countersigner;
  readonly description?: string;
  /** JSON Schema of the arguments. */
  readonly inputSchema?: JsonValue;
  /** Have the result judged too; it is handed out as a copy of what was judged. */
  readonly checkResponse?: boolean;
  /** The text that led to the call, asked for at each call. */
  readonly promptContext?: () => string | undefined;
  readonly session?: string;
  /** Where the agent was asked, asked for at each call. */
  readonly origin?: () => JsonObject | undefined;
}

function blocked(answer: Answer, code: 'denied' | 'response_blocked'): CountersignBlockedError {
  const reason = answer.denialReason ?? answer.reasoning ?? 'denied';
  return new CountersignBlockedError({ code: answer.fault ?? code, reason, answer });
}

/** Only `true` is a yes, whatever a countersigner written without types may hand over. */
function isYes(answer: { readonly allowed: unknown }): boolean {
  return answer.allowed === true;
}

/** A single object is the parameters as they are; anything else goes in as `{args: [...]}`. */
function paramsOf(args: readonly JsonValue[]): JsonValue {
  const [only] = args;
  return args.length === 1 && isJsonObject(only) ? only : { args };
}

async function ask(question: () => Promise<Answer>): Promise<Answer> {
  try {
    return await question();
  } catch (error) {
    // Countersigners are total; one that is not must not become a yes, nor escape under another name.
    const why = error instanceof Error ? error.name : 'unknown';
    throw new CountersignBlockedError({ code: 'internal', reason: `the call could not be judged (${why})` });
  }
}

interface Checked {
  readonly options: GuardOptions;
  readonly answer: Answer;
  readonly origin: JsonObject | undefined;
}

async function checkResponse(result: unknown, { options, answer, origin }: Checked): Promise<JsonValue | undefined> {
  if (result === undefined) return undefined;
  const copy = copyJson(result, { freeze: false });
  if (!copy.ok) {
    const reason = `the result cannot be judged: ${copy.error.message} (at \`${copy.error.path ?? ''}\`)`;
    throw new CountersignBlockedError({ code: 'response_not_json', reason, answer });
  }
  const inspected = await ask(() =>
    options.client.inspect(options.toolName, copy.value, {
      ...(answer.requestId === null ? {} : { requestId: answer.requestId }),
      ...(answer.scopeToken === null ? {} : { scopeToken: answer.scopeToken }),
      ...(options.session === undefined ? {} : { session: options.session }),
      ...(origin === undefined ? {} : { origin }),
    }),
  );
  if (!isYes(inspected)) throw blocked(inspected, 'response_blocked');
  return copy.value;
}

/**
 * Wraps a function so that each call is countersigned first. The arguments must be plain data (what JSON can say): they are
 * copied once and frozen, judged, and the function is given that copy.
 * @throws {CountersignBlockedError} where the call is refused or nobody could be asked; then `fn` was not called.
 */
export function guard<Args extends readonly unknown[], Output>(
  fn: (...args: Args) => Output,
  options: GuardOptions,
): (...args: Args) => Promise<Awaited<Output>> {
  const { toolName, client, description, inputSchema } = options;
  const tool = {
    name: toolName,
    ...(description === undefined ? {} : { description }),
    ...(inputSchema === undefined ? {} : { inputSchema }),
  };
  const { name: _name, ...described } = tool;
  const descriptor = { hash: descriptorHash(tool), ...described };
  return async (...args: Args): Promise<Awaited<Output>> => {
    const copy = copyJson(args);
    if (!copy.ok) {
      const reason = `the arguments cannot be judged: ${copy.error.message} (at \`${copy.error.path ?? ''}\`)`;
      throw new CountersignBlockedError({ code: 'arguments_not_json', reason });
    }
    // A copy of an array is an array.
    const frozen = copy.value as readonly JsonValue[];
    const promptContext = options.promptContext?.();
    const origin = options.origin?.();
    const answer = await ask(() =>
      client.proxy(toolName, paramsOf(frozen), {
        descriptor,
        ...(promptContext === undefined ? {} : { promptContext }),
        ...(options.session === undefined ? {} : { session: options.session }),
        ...(origin === undefined ? {} : { origin }),
      }),
    );
    if (!isYes(answer)) throw blocked(answer, 'denied');
    // The copy has the shape of the arguments: only what JSON cannot say was refused.
    const result = await withScopeToken(answer.scopeToken ?? undefined, () => fn(...(frozen as unknown as Args)));
    if (options.checkResponse !== true) return result;
    // What was judged is what is handed out; its shape is that of the result.
    return (await checkResponse(result, { options, answer, origin })) as Awaited<Output>;
  };
}
