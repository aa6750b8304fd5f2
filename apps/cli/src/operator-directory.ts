/** @module Operator on the data directory itself, opened by this process; its lock keeps a gateway and this apart. */
import { type Fault, invariant, type Result } from '@countersign/kernel';
import type { Log } from '@countersign/log';
import { type LogDesk, MAIN_LOG, type RulesResult } from '@countersign/pipeline';
import { openRuntime, policySignersPath, readPolicySigners, type RunningLog, type Runtime, runtimeStatus } from '@countersign/runtime';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from './command.ts';
import { CLI_LIMITS } from './limits.ts';
import { readEntry } from './log-reader.ts';
import { configError } from './outcome.ts';
import { collectTools, type LoggedEntry, type Operator } from './operator.ts';

/** What the operator did wrong is exit 3. */
function unwrap<T>(result: Result<T, Fault | readonly Fault[]>): T {
  if (result.ok) return result.value;
  throw configError(Array.isArray(result.error) ? (result.error as readonly Fault[]) : [result.error as Fault]);
}

/** The same for rules: every fault of a document. */
function unwrapRules<T>(result: RulesResult<T>): T {
  if (result.ok) return result.value;
  const { fault, faults } = result.error;
  throw configError(faults.length === 0 ? [fault] : faults);
}

function orgOf({ store }: Runtime): string {
  const [first] = store.listOrgs();
  return first === undefined ? unwrap(store.createOrg({ name: 'local', mode: 'learning' })).id : first.id;
}

/** The org that is named, or the only one: which one is meant is never guessed. */
function onlyOrg({ store }: Runtime, named: string | undefined): string {
  if (named !== undefined) return named;
  const [only, second] = store.listOrgs();
  if (only !== undefined && second === undefined) return only.id;
  throw configError([{ code: 'org_required', message: 'say which org', hint: 'name it with --org ID; `countersign org show` lists them' }]);
}

async function entries(log: Log, from: number, count: number): Promise<readonly LoggedEntry[]> {
  const found: LoggedEntry[] = [];
  const end = Math.min(log.durableSize, from + Math.min(count, CLI_LIMITS.pageMax));
  for (let index = from; index < end; index += 1) found.push(readEntry(index, await log.readEntry(index)));
  return found;
}

/** An open log by its name. @throws {CliError} exit 3. */
function openLogOf({ logs }: Runtime, name: string | undefined): RunningLog {
  const log = logs.of(name ?? MAIN_LOG);
  if (log !== undefined) return log;
  const problem = logs.failed().find((one) => one.name === name)?.reason;
  throw configError([{ code: 'log_unavailable', message: problem ?? 'there is no log of this name', hint: 'countersign log list' }]);
}

/** What operators do with a log. @throws {CliError} exit 3. */
function deskOfLog(runtime: Runtime, name: string | undefined): LogDesk {
  const { place } = openLogOf(runtime, name);
  const desk = runtime.logDesk(place.name);
  invariant(desk !== undefined, 'an open log has a desk');
  return desk;
}

function operate(runtime: Runtime, where: string): Operator {
  const { store } = runtime;
  const logOf = (name: string | undefined): Log => openLogOf(runtime, name).log;
  const deskOf = (name: string | undefined): LogDesk => deskOfLog(runtime, name);
  const org = orgOf(runtime);
  return {
    where,
    createAgent: async (draft) => unwrap(store.createAgent({ org, ...draft })),
    listAgents: () => Promise.resolve(store.listAgents({ org })),
    setAgentState: async (agent, state, reason) => unwrap(store.setAgentState({ agent, state, reason })),
    createApiKey: async (draft) => unwrap(store.createApiKey({ org, ...draft })),
    listApiKeys: () => Promise.resolve(store.listApiKeys({ org })),
    revokeApiKey: async (id) => unwrap(store.revokeApiKey(org, id)),
    listOrgs: () => Promise.resolve(store.listOrgs()),
    setOrgMode: async (id, mode) => unwrap(store.setOrgMode(id, mode)),
    listTools: (status) =>
      collectTools(async (after) =>
        store.listTools({ org, ...(after === undefined ? {} : { after }), ...(status === undefined ? {} : { status }) }),
      ),
    approveTool: async (approval) => unwrap(store.approveTool({ org, ...approval })),
    listPolicies: () => Promise.resolve(store.listPolicies()),
    setPolicy: async (source) => unwrap(await runtime.policy.set(source)),
    activePolicy: () => Promise.resolve(store.activePolicy()),
    rules: () => Promise.resolve(runtime.rules.view()),
    putRules: async (pack, source) => unwrapRules(await runtime.rules.put(pack, source)),
    removeRules: async (pack) => unwrapRules(await runtime.rules.remove(pack)),
    reloadRules: async () => unwrapRules(await runtime.rules.reload()),
    listLogs: () => Promise.resolve(runtime.logs.list()),
    createLog: async (draft) => unwrap(await runtime.logs.create(draft)),
    setOrgLog: async (id, log) => unwrap(await runtime.logs.moveOrg(id, log)),
    logKeys: async (log) => deskOf(log).keys(),
    rotateLogKey: async (log) => unwrap(await deskOf(log).rotateKey()),
    retireLogKey: async (log) => unwrap(await deskOf(log).retireKey()),
    consistency: async ({ old, newer }, log) => unwrap(await deskOf(log).consistency(old, newer)),
    archive: async (request, log) => unwrap(await deskOf(log).archive(request)),
    restore: async (directory, log) => unwrap(await deskOf(log).restore(directory)),
    endSession: async ({ session, reason, org: named }) =>
      unwrap(await runtime.sessions.end({ org: onlyOrg(runtime, named), session, reason })),
    sessionPosture: async ({ session, org: named }) => unwrap(await runtime.sessions.posture(onlyOrg(runtime, named), session)),
    moveSession: async ({ org: named, ...asked }) =>
      unwrap(
        await runtime.sessions.transition({ ...asked, org: onlyOrg(runtime, named), by: 'operator', authority: 'posture:transition' }),
      ),
    sessionEntries: async ({ session, org: named }) => unwrap(await runtime.sessions.entries(onlyOrg(runtime, named), session)),
    status: () => Promise.resolve(runtimeStatus(runtime)),
    receiptKey: () => Promise.resolve(runtime.receiptKey),
    checkpoint: async (log) => logOf(log).checkpoint.note,
    size: async (log) => logOf(log).durableSize,
    entries: async (from, count, log) => entries(logOf(log), from, count),
    bundle: async (id, options) => unwrap(await runtime.bundle(id, options)),
    vault: () => Promise.resolve(runtime.vault.view()),
    eraseSubject: async ({ subject, reason, org: named }) =>
      unwrap(await runtime.vault.erase({ org: onlyOrg(runtime, named), subject, reason, by: 'operator' })),
    rotateKeys: async (request) =>
      unwrap(runtime.vault.rotate(request === undefined ? undefined : { org: onlyOrg(runtime, request.org), subject: request.subject })),
    exportReceipt: async (id, format) => unwrap(await runtime.exportReceipt(id, format)),
    close: () => runtime.close(),
  };
}

/**
 * Opens the data directory.
 * @throws {CliError} exit 3 where there is none and `create` is not set.
 */
export async function openDirectoryRuntime(context: Context, create: boolean): Promise<Runtime> {
  const { dataDir } = context;
  if (!create && !existsSync(join(dataDir, 'state.db'))) {
    const hint = 'start a gateway with `countersign up`, or name another directory with --data DIR';
    throw configError([{ code: 'no_data_directory', message: 'there is no Countersign data directory here', path: dataDir, hint }]);
  }
  const warn = (message: string): void => context.world.stderr.write(`warning: ${message}\n`);
  const policySigners = (): readonly string[] => Object.values(readPolicySigners(policySignersPath(context.world.home)));
  return openRuntime({ dataDir, warn, policySigners, environment: context.world.env });
}

/** The same, as an operator. */
export async function openDirectory(context: Context, create: boolean): Promise<Operator> {
  return operate(await openDirectoryRuntime(context, create), `directory ${context.dataDir}`);
}
