/**
 * @module `policy patterns build`: a database of patterns from texts, with vectors of the operator's own model. Vectors are of use only with the model
 * that made them, so none are shipped; the texts of known attacks are.
 */
import { resolve } from 'node:path';
import { sha256Hex } from '@countersign/crypto';
import { embed, type EmbeddingServer, embeddingServer, environmentSecrets } from '@countersign/intel';
import { codeOf, CodedError, type Fault, getOwn, isJsonObject, type JsonObject, type JsonValue, parseJson } from '@countersign/kernel';
import { patternDatabaseOf, POLICY_LIMITS } from '@countersign/policy';
import { readPatternTexts } from '@countersign/runtime';
import { type Command, type Context, flag, type Input, textOption } from '../command.ts';
import { readBytes } from '../documents.ts';
import { CliError, configError, EXIT, type Outcome, usageError } from '../outcome.ts';
import { writeNewFile } from '../write-out.ts';

const HELP = 'countersign policy patterns build --help';
/** Texts of one request. */
const BATCH = 16;
const REQUEST_MS = 60_000;

interface PatternText {
  readonly text: string;
  readonly name: JsonObject;
}

function malformed(message: string, path: string): CliError {
  return configError([{ code: 'pattern_texts_malformed', message, path }]);
}

function readEntry(value: JsonValue, path: string): PatternText {
  const text = isJsonObject(value) ? getOwn(value, 'text') : undefined;
  if (!isJsonObject(value) || typeof text !== 'string' || text.trim() === '' || text.length > POLICY_LIMITS.screenCharsMax)
    throw malformed(`each entry has a \`text\` of 1 to ${String(POLICY_LIMITS.screenCharsMax)} characters`, path);
  const { text: _, ...name } = value;
  return { text, name };
}

async function readTexts(file: string | undefined, context: Context): Promise<readonly PatternText[]> {
  const path = file ?? 'the built-in texts';
  const bytes = file === undefined ? await readPatternTexts() : await readBytes(file, context);
  const parsed = parseJson(bytes);
  if (!parsed.ok) throw configError([{ ...parsed.error, path }]);
  const { value } = parsed.value;
  if (!Array.isArray(value) || value.length === 0 || value.length > POLICY_LIMITS.patternsMax)
    throw malformed(`must be a list of 1 to ${String(POLICY_LIMITS.patternsMax)} entries {id, category, stage, label, text}`, path);
  return (value as readonly JsonValue[]).map((entry) => readEntry(entry, path));
}

function serverOf(input: Input, context: Context): EmbeddingServer {
  const [url, model, key] = ['url', 'model', 'key'].map((name) => textOption(input, name));
  if (url === undefined || model === undefined) throw usageError('name the server and the model: --url URL --model NAME', HELP);
  if (key !== undefined && !/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) throw usageError('--key takes the name of a variable, not the key', HELP);
  const secrets = environmentSecrets({ ...context.world.env, COUNTERSIGN_SECRETS: key });
  const server = embeddingServer({ url, model, key: key === undefined ? undefined : `\${${key}}` }, secrets);
  if (!server.ok) throw configError([server.error]);
  return server.value;
}

/** Sends one batch; what the server did wrong ends the command. */
async function vectorsOf(server: EmbeddingServer, texts: readonly string[], context: Context): Promise<readonly Int16Array[]> {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  const cancel = context.world.after(REQUEST_MS, stop);
  context.world.stop.addEventListener('abort', stop);
  try {
    return await embed(server, texts, controller.signal);
  } catch (error) {
    const fault: Fault = { code: codeOf(error), message: error instanceof CodedError ? error.message : 'the server cannot be asked' };
    throw new CliError(EXIT.runtime, [fault], { cause: error });
  } finally {
    cancel();
    context.world.stop.removeEventListener('abort', stop);
  }
}

async function embedAll(server: EmbeddingServer, texts: readonly PatternText[], context: Context): Promise<JsonValue> {
  const entries: JsonObject[] = [];
  for (let at = 0; at < texts.length; at += BATCH) {
    const batch = texts.slice(at, at + BATCH);
    const sent = batch.map(({ text }) => text);
    const vectors = await vectorsOf(server, sent, context);
    for (const [i, { name }] of batch.entries()) entries.push({ ...name, embedding: [...(vectors[i] ?? [])] });
  }
  return entries;
}

async function build(input: Input, context: Context): Promise<Outcome> {
  const out = textOption(input, 'out');
  if (out === undefined) throw usageError('name the file: --out FILE', HELP);
  const version = textOption(input, 'dbVersion') ?? '1';
  const server = serverOf(input, context);
  const texts = await readTexts(textOption(input, 'texts'), context);
  const entries = await context.progress('asking the server for vectors', () => embedAll(server, texts, context));
  const database = patternDatabaseOf(entries, version);
  if (!database.ok) throw malformed(database.error, textOption(input, 'texts') ?? out);
  const bytes = new TextEncoder().encode(`${JSON.stringify(entries)}\n`);
  const path = resolve(context.world.cwd, out);
  await writeNewFile(path, bytes, flag(input, 'force'));
  const checksum = sha256Hex(bytes);
  const { dimension, patterns } = database.value;
  const lines = [
    `${out}: ${String(patterns.length)} patterns of ${String(dimension)} numbers; next, in guards.spider_sense of a policy:`,
    `  embedding_model: ${JSON.stringify(server.model)}`,
    `  pattern_db_path: ${JSON.stringify(path)}`,
    `  pattern_db_version: ${JSON.stringify(version)}`,
    `  pattern_db_checksum: ${checksum}`,
  ];
  return { exitCode: EXIT.ok, json: { file: out, version, checksum, dimension, patterns: patterns.length }, text: lines.join('\n') };
}

export const policyPatternsCommand: Command = {
  path: 'policy patterns build',
  summary: 'make a database of patterns for spider_sense, with the vectors of your own model',
  options: [
    { flags: '--url <url>', summary: 'address of a server that speaks the format of OpenAI, e.g. https://host/v1/embeddings' },
    { flags: '--model <name>', summary: 'the model, as the server calls it' },
    { flags: '--key <variable>', summary: 'name of the variable of the environment that holds the key of the server' },
    {
      flags: '--texts <file>',
      summary: 'JSON list of {id, category, stage, label, text}; the built-in texts of known attacks where it is not said',
    },
    { flags: '--db-version <text>', summary: 'what the database is called; `1` where it is not said' },
    { flags: '-o, --out <file>', summary: 'the file to write' },
    { flags: '--force', summary: 'replace a file that is there' },
  ],
  examples: ['countersign policy patterns build --url http://127.0.0.1:8081/v1/embeddings --model bge-small --out patterns.json'],
  run: build,
};
