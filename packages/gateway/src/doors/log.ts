/**
 * @module The log door: `/log/*` and `/logs/<name>/*` for whoever checks a log (spec/log.md LOG-085, LOG-090, spec/http.md HTTP-046). What a request gets is said by
 * `readAnswer` of the log itself; this door adds who may read entries, compresses, and sends. It only reads.
 */
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { parseTilePath, type ReadAnswer, readAnswer, type ReadRequest } from '@countersign/log';
import { MAIN_LOG } from '@countersign/pipeline';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type AccessRules, accessOf, require as need } from './operator-access.ts';
import { OperatorError, operatorError } from './operator-errors.ts';

/** Where the published files come from. */
export interface PublishedFiles {
  /** A published file of a log: `checkpoint`, `tile/...`. Undefined where there is none, for any other path, and where there is no such log. */
  published(path: string, log: string): Promise<Uint8Array | undefined>;
}

export interface LogDoor extends AccessRules {
  readonly evidence: PublishedFiles;
  /** True: the entry bundles of the log need no credential. Hash tiles and checkpoints never do. */
  readonly publicLog?: boolean;
}

const PREFIX = '/log/';
const FURTHER = '/logs/';
const JSON_TYPE = 'application/json; charset=utf-8';
const compress = promisify(gzip);
/** Entries are alike: the fastest level takes most of what can be taken, and decisions want the processor. */
const GZIP = { level: constants.Z_BEST_SPEED };

/** Which file of which log. The main log has one place: it is not also one of the others. */
function placeOf(path: string): { readonly log: string; readonly path: string } {
  if (path.startsWith(PREFIX)) return { log: MAIN_LOG, path: path.slice(PREFIX.length) };
  const below = path.startsWith(FURTHER) ? path.slice(FURTHER.length) : '';
  const slash = below.indexOf('/');
  const log = below.slice(0, Math.max(0, slash));
  return log === '' || log === MAIN_LOG ? { log: '', path: '' } : { log, path: below.slice(slash + 1) };
}

/** Reads the path as it came: nothing is decoded, so that no second spelling leads anywhere. */
function readRequest(request: FastifyRequest): ReadRequest & { readonly log: string } {
  const [path = ''] = (request.raw.url ?? '').split('?', 1);
  return {
    method: request.method,
    ...placeOf(path),
    ifNoneMatch: request.headers['if-none-match'],
    acceptEncoding: request.headers['accept-encoding'],
  };
}

function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** @throws OperatorError `operator_unauthorized`, `operator_forbidden` where entries are asked for by whoever may not see them. */
function needMayRead(door: LogDoor, request: FastifyRequest, path: string): void {
  if (door.publicLog === true || parseTilePath(path)?.level !== 'entries') return;
  need(accessOf(request.headers, door), 'everything');
}

function refusal(status: ReadAnswer['status']): OperatorError {
  return status === 405
    ? new OperatorError({ code: 'method_not_allowed', message: 'the log is only read' })
    : new OperatorError({ code: 'not_found', message: 'no such file of the log' });
}

async function answerRead(door: LogDoor, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const read = readRequest(request);
  if (isRead(read.method)) needMayRead(door, request, read.path);
  const { status, headers, body, gzip: isGzip } = await readAnswer(read, (path) => door.evidence.published(path, read.log));
  reply.code(status).headers(headers);
  if (status === 404 || status === 405) throw refusal(status);
  if (body === undefined) return reply.send();
  if (read.method === 'HEAD') {
    // What compressing would come to is not worked out for nothing.
    if (!isGzip) reply.header('content-length', body.length);
    return reply.send();
  }
  return reply.send(isGzip ? await compress(body, GZIP) : Buffer.from(body.buffer, body.byteOffset, body.byteLength));
}

/** Adds the routes of the door to `app`. */
export async function addLogDoor(app: FastifyInstance, door: LogDoor): Promise<void> {
  await app.register(async (scoped) => {
    scoped.setErrorHandler((error: unknown, _, reply) => {
      const { status, body } = operatorError(error);
      return reply.code(status).header('content-type', JSON_TYPE).send(JSON.stringify(body));
    });
    // What is no read is answered before a byte of its body is.
    scoped.addHook('onRequest', async (request, reply) => {
      if (!isRead(request.method)) await answerRead(door, request, reply);
    });
    for (const prefix of [PREFIX, FURTHER]) scoped.all(`${prefix}*`, (request, reply) => answerRead(door, request, reply));
  });
}
