/**
 * @module A server that turns texts into vectors, in the wire format of OpenAI's `/v1/embeddings`, which many others speak. What it answers is made
 * small and whole here: one vector a text, all of one dimension, as integers; anything else is no answer.
 */
import { CodedError, err, type Fault, getOwn, isJsonObject, type JsonValue, ok, type Result } from '@countersign/kernel';
import { packVectors, POLICY_LIMITS, quantise, type ResolvedPolicy, SPIDER_SENSE, type SpiderSenseConfig } from '@countersign/policy';
import type { Adapter, AskedGuard } from './asking.ts';
import { type Endpoint, readEndpoint, requestJson } from './json-http.ts';
import { namedValue, type SecretSource } from './named-secrets.ts';

/** What is asked, of whom. */
export interface EmbeddingServer {
  readonly endpoint: Endpoint;
  readonly model: string;
  readonly key?: string | undefined;
}

function malformed(): CodedError {
  return new CodedError({ code: 'answer_malformed', message: 'the server answered with something that is no list of vectors' });
}

function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function readVector(item: JsonValue): Int16Array {
  const embedding = isJsonObject(item) ? getOwn(item, 'embedding') : undefined;
  if (!isList(embedding) || embedding.length === 0 || embedding.length > POLICY_LIMITS.patternDimensionMax) throw malformed();
  const numbers = embedding.filter((component) => typeof component === 'number');
  const vector = numbers.length === embedding.length ? quantise(numbers) : undefined;
  if (vector === undefined) throw malformed();
  return vector;
}

/** Items name the text that they are for; where they do not, they stand in the order of the texts. */
function inOrder(items: readonly JsonValue[]): readonly JsonValue[] {
  const places = items.map((item, i) => (isJsonObject(item) ? (getOwn(item, 'index') ?? i) : i));
  const ordered = new Map(items.map((item, i) => [places[i], item]));
  return items.map((_, i) => {
    const item = ordered.get(i);
    if (item === undefined) throw malformed();
    return item;
  });
}

/** The vectors of these texts, in their order. @throws {CodedError} as `requestJson`, and `answer_malformed`. */
export async function embed(server: EmbeddingServer, texts: readonly string[], signal: AbortSignal): Promise<readonly Int16Array[]> {
  const { endpoint, model, key } = server;
  const [only] = texts;
  const input = texts.length === 1 && only !== undefined ? only : texts;
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const reply = await requestJson(endpoint, { method: 'POST', path: '', headers, body: { input, model } }, { signal, floats: true });
  const data = isJsonObject(reply.body) ? getOwn(reply.body, 'data') : undefined;
  if (!isList(data) || data.length !== texts.length) throw malformed();
  const vectors = inOrder(data).map(readVector);
  if (vectors.some(({ length }) => length !== vectors[0]?.length)) throw malformed();
  return vectors;
}

function textsOf(ask: JsonValue): readonly string[] {
  const texts = isJsonObject(ask) ? getOwn(ask, 'texts') : undefined;
  if (!isList(texts) || texts.length === 0) throw malformed();
  return texts.map((text) => {
    if (typeof text !== 'string') throw malformed();
    return text;
  });
}

const PROBE = 'countersign';

function adapterOf(server: EmbeddingServer, dimension: number): Adapter {
  return {
    async ask(ask, signal): Promise<JsonValue> {
      const vectors = await embed(server, textsOf(ask), signal);
      return { dimension: vectors[0]?.length ?? 0, vectors: packVectors(vectors) };
    },
    async probe(signal): Promise<Result<undefined, Fault>> {
      const [vector] = await embed(server, [PROBE], signal);
      if (vector?.length === dimension) return ok(undefined);
      return err({
        code: 'policy_embedding_dimension',
        message: `the server gives vectors of ${String(vector?.length ?? 0)} numbers, and the database has ${String(dimension)}`,
        path: 'guards.spider_sense.embedding_model',
        hint: 'use the model that the database was made with, or make another: `countersign policy patterns build`',
      });
    },
  };
}

export interface EmbeddingNames {
  readonly url: string;
  readonly key?: string | undefined;
  readonly model: string;
}

const PATH = 'guards.spider_sense';

/** The server that a policy or a person names, with the names of secrets filled in. */
export function embeddingServer(names: EmbeddingNames, secrets: SecretSource): Result<EmbeddingServer, Fault> {
  const url = namedValue(names.url, secrets, `${PATH}.embedding_api_url`);
  if (!url.ok) return url;
  const endpoint = readEndpoint(url.value, `${PATH}.embedding_api_url`);
  if (!endpoint.ok) return endpoint;
  const key = names.key === undefined ? ok(undefined) : namedValue(names.key, secrets, `${PATH}.embedding_api_key`);
  if (!key.ok) return key;
  if (key.value !== undefined && !/^[\x21-\x7e]+$/.test(key.value))
    return err({ code: 'policy_secret', message: 'the key holds something that no header can carry', path: `${PATH}.embedding_api_key` });
  const model = namedValue(names.model, secrets, `${PATH}.embedding_model`);
  return model.ok ? ok({ endpoint: endpoint.value, model: model.value, key: key.value }) : model;
}

function asked(config: SpiderSenseConfig, secrets: SecretSource): Result<AskedGuard, Fault> {
  const { embedding_api_url: url = '', embedding_api_key: key, embedding_model: model = '', pattern_db: database } = config;
  const server = embeddingServer({ url, key, model }, secrets);
  return server.ok ? ok({ settings: config.async, adapter: adapterOf(server.value, database?.dimension ?? 0) }) : server;
}

/** The server that spider_sense asks, where the policy has the guard on. */
export function openEmbedding(
  policy: ResolvedPolicy,
  secrets: SecretSource,
): Result<readonly (readonly [guard: string, asked: AskedGuard])[], readonly Fault[]> {
  const config = policy.guards.spider_sense;
  if (config?.enabled !== true) return ok([]);
  const opened = asked(config, secrets);
  return opened.ok ? ok([[SPIDER_SENSE, opened.value]]) : err([opened.error]);
}
