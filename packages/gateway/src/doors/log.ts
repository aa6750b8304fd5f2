/**
 * @module The log door: `/log/*` for whoever checks the log (spec/log.md LOG-090, spec/http.md HTTP-046). What a request gets is said by
 * `readAnswer` of the log itself; this door adds who may read entries, compresses, and sends. It only reads.
 */
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { parseTilePath, type ReadAnswer, readAnswer, type ReadRequest } from '@countersign/log';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type AccessRules, accessOf, require as need } from './operator-access.ts';
import { OperatorError, operatorError } from './operator-errors.ts';

/** Where the published files come from. */
export interface PublishedFiles {
  /** A published file of the log: `checkpoint`, `tile/...`. Undefined where there is none, and for any other path. */
  published(path: string): Promise<Uint8Array | undefined>;
}

export interface LogDoor extends AccessRules {
  readonly evidence: PublishedFiles;
  /** True: the entry bundles of the log need no credential. Hash tiles and checkpoints never do. */
  readonly publicLog?: boolean;
}

const PREFIX = '/log/';
const JSON_TYPE = 'application/json; charset=utf-8';
const compress = promisify(gzip);
/** Entries are alike: the fastest level takes most of what can be taken, and decisions want the processor. */
const GZIP = { level: constants.Z_BEST_SPEED };

/** Reads the path as it came: nothing is decoded, so that no second spelling leads anywhere. */
function readRequest(request: FastifyRequest): ReadRequest {
  const [path = ''] = (request.raw.url ?? '').split('?', 1);
  return {
    method: request.method,
    path: path.startsWith(PREFIX) ? path.slice(PREFIX.length) : '',
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
  const { status, headers, body, gzip: isGzip } = await readAnswer(read, (path) => door.evidence.published(path));
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
    scoped.all(`${PREFIX}*`, (request, reply) => answerRead(door, request, reply));
  });
}
