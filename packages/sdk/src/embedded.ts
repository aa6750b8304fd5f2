/**
 * @module The product inside this process: the same judge, the same receipts and the same log as behind a gateway, in a directory of
 * this application's own. A composition root: clock, disk and randomness are real here.
 */
import { canonicalize, CodedError, type JsonValue, type Result, uuidv7 } from '@countersign/kernel';
import { type ActionDraft, type ActionRequest, type Answer as PipelineAnswer, countersignAction } from '@countersign/pipeline';
import { knownCall, knownTool } from '@countersign/protocol';
import { openRuntime, type Runtime } from '@countersign/runtime';
import { type Answer, refusal } from './answer.ts';
import type { CallOptions, Countersigner, InspectOptions } from './countersigner.ts';
import { currentDelegation } from './delegation.ts';

export interface EmbeddedOptions {
  /** Directory of the log, keys and state; made where it is new. One process at a time. */
  readonly dataDir: string;
  /** Name of the agent that acts; registered at first use. */
  readonly agent: string;
  /** Built-in ruleset that a new directory starts with; `default` when absent. */
  readonly ruleset?: string;
  /** Tools that the application itself provides: registered, not pending. */
  readonly tools?: readonly string[];
  /** Session of calls that name none; a fresh one for this process when absent. */
  readonly session?: string;
  /** What policies may name (`${NAME}`), such as `process.env`; nothing when absent. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** Asks in this process. Close it to give the directory back. */
export interface Embedded extends Countersigner {
  readonly agentId: string;
  /** Verifier key of the log: what `countersign verify --key` wants. */
  readonly logKey: string;
  /** Self-contained evidence for one receipt. @throws {CodedError} when there is no such receipt. */
  bundle(receiptId: string): Promise<Uint8Array>;
  close(): Promise<void>;
}

function unwrap<T>(result: Result<T, { readonly code: string; readonly message: string }>): T {
  if (!result.ok) throw new CodedError(result.error);
  return result.value;
}

interface Identity {
  readonly org: string;
  readonly agent: string;
}

/** The org of this directory and the agent with this name, made where they are new. */
function identify({ store }: Runtime, options: EmbeddedOptions): Identity {
  const org = store.listOrgs()[0] ?? unwrap(store.createOrg({ name: 'embedded', mode: 'locked' }));
  const known = store.listAgents({ org: org.id }).find(({ name }) => name === options.agent);
  const agent = known ?? unwrap(store.createAgent({ org: org.id, name: options.agent, scopes: ['*'] })).agent;
  for (const tool of options.tools ?? []) unwrap(store.approveTool({ org: org.id, tool: knownTool(tool).tool, hash: '', scope: null }));
  return { org: org.id, agent: agent.id };
}

function actionOf({ decision }: PipelineAnswer['verdict'], allowed: boolean): Answer['action'] {
  if (!allowed) return 'block';
  return decision === 'warn' ? 'flag' : 'pass';
}

function reasonsOf({ verdict }: PipelineAnswer): string {
  return verdict.reasons.map(({ code, text }) => `${code}: ${text}`).join('; ');
}

function refusedAnswer({ receipt, refusal: refused, requestId }: PipelineAnswer): Answer | undefined {
  if (refused === undefined) return undefined;
  const fault = refused.code === 'internal' ? 'internal' : 'gateway_refused';
  return refusal({ fault, reason: refused.message, errorCode: refused.code, requestId, receiptId: receipt?.id ?? null });
}

function judgedAnswer(answer: PipelineAnswer, latencyMs: number): Answer {
  const { receipt, verdict, judgement, requestId, scopeGranted = null, scopeToken = null } = answer;
  const allowed = receipt !== null && (verdict.decision === 'allow' || verdict.decision === 'warn');
  const findings = judgement?.findings ?? [];
  return {
    allowed,
    action: actionOf(verdict, allowed),
    risk: verdict.risk / 1000,
    requestId,
    receiptId: receipt?.id ?? null,
    denialReason: allowed ? null : reasonsOf(answer),
    reasoning: reasonsOf(answer),
    matchedRules: [...new Set(findings.map(({ rule }) => rule))],
    sessionFlags: [],
    degradedStages: [],
    scopeGranted,
    scopeToken,
    toolResponse: null,
    latencyMs,
  };
}

function answerOf(answer: PipelineAnswer, latencyMs: number): Answer {
  return refusedAnswer(answer) ?? judgedAnswer(answer, latencyMs);
}

interface Call {
  readonly params: JsonValue;
  readonly options: CallOptions;
  /** Ids of the agents that delegate, root first. */
  readonly delegation: readonly string[];
}

function draftOf(wireName: string, { params: given, options, delegation }: Call): ActionDraft {
  const { tool, kind, params } = knownCall(wireName, given);
  const { descriptor, promptContext, origin } = options;
  return {
    kind,
    tool,
    params,
    source: { framework: 'countersign-sdk', door: 'embedded' },
    delegation,
    ...(promptContext === undefined ? {} : { context: promptContext }),
    ...(origin === undefined ? {} : { origin: { origin } }),
    ...(descriptor === undefined
      ? {}
      : {
          descriptor: {
            hash: descriptor.hash,
            ...(descriptor.description === undefined ? {} : { description: descriptor.description }),
            ...(descriptor.inputSchema === undefined ? {} : { schema: descriptor.inputSchema }),
          },
        }),
  };
}

/**
 * Opens the product in this process.
 * @throws {CodedError} what the directory says: taken by another process, keys missing or unsafe, log damaged.
 */
export async function openEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const { dataDir, ruleset = 'default', environment = {} } = options;
  const runtime = await openRuntime({ dataDir, ruleset, environment });
  const { ports } = runtime;
  const caller = identify(runtime, options);
  const idOf = new Map(runtime.store.listAgents({ org: caller.org }).map(({ id, name }) => [name, id]));
  /** The SDK's delegation names agents as the application does; the pipeline knows them by id. Who is unknown is refused there. */
  const delegators = (): readonly string[] => (currentDelegation()?.chain.slice(0, -1) ?? []).map((name) => idOf.get(name) ?? name);
  const ownSession = options.session ?? `embedded-${uuidv7(ports.clock, ports.random)}`;

  async function ask(
    draft: ActionDraft,
    request: Pick<ActionRequest, 'mode'> & { readonly session?: string | undefined },
  ): Promise<Answer> {
    const startedMs = ports.clock.nowMs();
    const answer = await countersignAction(
      { caller, draft, session: request.session ?? ownSession, fingerprint: 'embedded', mode: request.mode },
      ports,
    );
    return answerOf(answer, Math.max(0, Math.round(ports.clock.nowMs() - startedMs)));
  }

  return {
    agentId: caller.agent,
    logKey: runtime.logKey,
    proxy(tool: string, params: JsonValue, call: CallOptions = {}): Promise<Answer> {
      const outside = call.authorizedTools !== undefined && !call.authorizedTools.includes(knownTool(tool).tool);
      if (outside)
        return Promise.resolve(
          refusal({ fault: 'gateway_refused', reason: 'the tool is not in the authorized set', errorCode: 'unauthorized_tool' }),
        );
      return ask(draftOf(tool, { params, options: call, delegation: delegators() }), { mode: 'evaluate', session: call.session });
    },
    inspect(tool: string, response: JsonValue, inspect: InspectOptions = {}): Promise<Answer> {
      const content = typeof response === 'string' ? response : canonicalize(response);
      const draft: ActionDraft = {
        kind: 'tool.response',
        tool: knownTool(tool).tool,
        content,
        source: { framework: 'countersign-sdk', door: 'embedded' },
        delegation: [],
        ...(inspect.origin === undefined ? {} : { origin: { origin: inspect.origin } }),
      };
      return ask(draft, { mode: 'scan', session: inspect.session });
    },
    bundle: async (receiptId) => unwrap(await runtime.bundle(receiptId, { inputs: true })),
    close: () => runtime.close(),
  };
}
