/** @module `guard inspect` and `guard install`: packages of guards in WebAssembly, looked at before a policy names them. */
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type GuardPackage, proveGuardPackage, readGuardPackage } from '@countersign/intel';
import { codeOf } from '@countersign/kernel';
import { type Command, type Context, flag, type Input } from '../command.ts';
import { CliError, configError, EXIT, type Outcome } from '../outcome.ts';

/** Read, compiled and held against the ABI. @throws {CliError} exit 3 with what is wrong. */
async function provenPackage(input: Input, context: Context): Promise<GuardPackage> {
  const found = readGuardPackage(resolve(context.world.cwd, input.args[0] ?? '.'));
  if (!found.ok) throw configError([found.error]);
  const proof = await proveGuardPackage(found.value, { timer: { after: context.world.after } });
  if (!proof.ok) throw configError([proof.error]);
  return found.value;
}

/** What a policy says to have it. */
function entryLines({ manifest, sha256 }: GuardPackage): readonly string[] {
  const { capabilities } = manifest;
  return [
    'guards:',
    '  custom:',
    `    - package: ${manifest.name}`,
    `      sha256: ${sha256}`,
    // Left to the operator: what is wished for is not yet granted.
    ...(capabilities.length > 0 ? [`      # capabilities: [${capabilities.join(', ')}]   it wishes for these`] : []),
  ];
}

function describe(found: GuardPackage): Pick<Outcome, 'json' | 'text'> {
  const { manifest, sha256 } = found;
  const { name, version, guards, capabilities, memoryMb, cpuMs, timeoutMs } = manifest;
  const handled = guards.map((guard) => `  ${guard.name}: ${guard.handles.length === 0 ? 'every action' : guard.handles.join(', ')}`);
  const text = [
    `${name} ${version}, SHA-256 ${sha256}`,
    ...handled,
    `  at most ${String(memoryMb)} MB, ${String(cpuMs)} ms of the processor, ${String(timeoutMs)} ms`,
    '',
    ...entryLines(found),
  ];
  const listed = guards.map((guard) => ({ name: guard.name, entrypoint: guard.entrypoint, handles: guard.handles }));
  return { json: { name, version, sha256, guards: listed, capabilities, memoryMb, cpuMs, timeoutMs }, text: text.join('\n') };
}

const inspect = async (input: Input, context: Context): Promise<Outcome> => ({
  exitCode: EXIT.ok,
  ...describe(await provenPackage(input, context)),
});

/** The files that were read, and no others, into a folder that then takes its place as a whole. */
async function put({ manifest, files }: GuardPackage, place: { readonly guards: string; readonly replace: boolean }): Promise<string> {
  const target = join(place.guards, manifest.name);
  await mkdir(place.guards, { recursive: true });
  const made = await mkdtemp(join(place.guards, '.new-'));
  try {
    for (const [name, bytes] of files) {
      await mkdir(dirname(join(made, name)), { recursive: true });
      await writeFile(join(made, name), bytes);
    }
    if (place.replace) await rm(target, { recursive: true, force: true });
    await rename(made, target);
    return target;
  } catch (error) {
    await rm(made, { recursive: true, force: true });
    const there = ['ENOTEMPTY', 'EEXIST'].includes(codeOf(error));
    const message = there ? 'a package of this name is there already' : `the package cannot be written (${codeOf(error)})`;
    const hint = there ? 'say --force to replace it; policies that name the old one then no longer load' : undefined;
    throw new CliError(
      there ? EXIT.config : EXIT.runtime,
      [{ code: there ? 'file_exists' : 'file_unwritable', message, path: target, ...(hint !== undefined && { hint }) }],
      { cause: error },
    );
  }
}

async function install(input: Input, context: Context): Promise<Outcome> {
  const found = await provenPackage(input, context);
  const path = await put(found, { guards: join(context.dataDir, 'guards'), replace: flag(input, 'force') });
  const { json, text } = describe(found);
  return { exitCode: EXIT.ok, json: { ...json, path }, text: `${path}\n${text}` };
}

export const guardCommands: readonly Command[] = [
  {
    path: 'guard inspect',
    args: '<folder>',
    summary: 'what a guard package is, what it wishes for, and how a policy names it',
    examples: ['countersign guard inspect ./change-freeze'],
    run: inspect,
  },
  {
    path: 'guard install',
    args: '<folder>',
    summary: 'copy a guard package into the data directory, where policies find it',
    options: [{ flags: '--force', summary: 'replace a package of this name' }],
    examples: ['countersign guard install ./change-freeze'],
    run: install,
  },
];
