/** @module `policy bundle`: one signed file of a policy, and whether such a file is to be believed. */
import { formatTime, uuidv7 } from '@countersign/kernel';
import { buildPolicyBundle, BUILTIN_RULESETS, verifyPolicyBundle } from '@countersign/policy';
import { createSystemRandom, policySignersPath, readPolicySigners } from '@countersign/runtime';
import { type Command, type Context, type Input, listOption, textOption } from '../command.ts';
import { readBytes } from '../documents.ts';
import { readPin, readSigner } from '../key-files.ts';
import { configError, EXIT, type Outcome, usageError } from '../outcome.ts';
import { resolveFile, resolveRuleset } from '../policies.ts';
import { renderFields } from '../render.ts';
import { OUT_OPTIONS, writeOut } from '../write-out.ts';

async function build(input: Input, context: Context): Promise<Outcome> {
  const [name = ''] = input.args;
  const keyPath = textOption(input, 'key');
  if (keyPath === undefined) throw usageError('no key signs the bundle', 'name the file of an Ed25519 key with --key');
  const policy = BUILTIN_RULESETS.includes(name) ? await resolveRuleset(name, context) : await resolveFile(name, context);
  const signer = await readSigner(keyPath, context);
  const { clock } = context.world;
  const facts = { bundleId: uuidv7(clock, createSystemRandom()), compiledAt: formatTime(clock.nowMs()), sources: policy.sources };
  const bytes = new TextEncoder().encode(buildPolicyBundle(policy.resolved, facts, signer));
  const json = { bundleId: facts.bundleId, hash: policy.hash, publicKey: Buffer.from(signer.publicKey).toString('hex') };
  return writeOut(input, context, {
    bytes,
    fileName: 'policy.bundle.json',
    property: 'bundle',
    json,
    next: 'countersign policy bundle verify',
  });
}

async function verify(input: Input, context: Context): Promise<Outcome> {
  const [file = ''] = input.args;
  const pins = listOption(input, 'pin');
  const pinned = pins.length === 0 ? Object.values(readPolicySigners(policySignersPath(context.world.home))) : [];
  for (const pin of pins) pinned.push(await readPin(pin, context));
  const verified = verifyPolicyBundle(await readBytes(file, context), pinned);
  if (!verified.ok) throw configError([verified.error]);
  const { policy, hash, signedBy, bundleId, compiledAt, sources } = verified.value;
  const fields = [
    ['verified', file],
    ['name', policy.name],
    ['hash', hash],
    ['signed by', signedBy],
    ['compiled at', compiledAt],
    ['made of', sources.join(', ')],
  ] as const;
  const json = { verified: true, file, name: policy.name, hash, signedBy, bundleId, compiledAt, sources: [...sources] };
  return { exitCode: EXIT.ok, json, text: renderFields(fields) };
}

export const policyBundleCommands: readonly Command[] = [
  {
    path: 'policy bundle build',
    args: '<ruleset-or-file>',
    summary: 'one signed file of a policy with all that it extends',
    options: [
      { flags: '--key <file>', summary: 'Ed25519 private key that signs: PEM, or 64 hex digits' },
      { flags: '--out <file>', summary: '`policy.bundle.json` where it is not said, `-` for standard output' },
      ...OUT_OPTIONS,
    ],
    examples: ['countersign policy bundle build policy.yaml --key key.pem', 'countersign policy bundle build strict --key key.pem --out -'],
    run: build,
  },
  {
    path: 'policy bundle verify',
    args: '<file>',
    summary: 'did a key that you pin sign this policy?',
    options: [
      {
        flags: '--pin <key...>',
        summary:
          'public key that counts: 64 hex digits, or a file of it; those of `policy signer` where none is named; the key inside the bundle never does',
      },
    ],
    examples: ['countersign policy bundle verify policy.bundle.json --pin policy-key.pub'],
    run: verify,
  },
];
