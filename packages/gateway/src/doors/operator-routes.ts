/** @module What the operator door lends the files that hold some of its routes. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Access } from './operator-access.ts';

export interface LentByDoor {
  /** @throws OperatorError where the credential is not good for this. */
  readonly need: (request: FastifyRequest, what: Access['may']) => Access;
  readonly access: (request: FastifyRequest) => Access;
  /** The org a request is about. @throws OperatorError. */
  readonly orgFor: (request: FastifyRequest, named: string | undefined) => string;
  /** The log that an org writes to. */
  readonly logOf: (org: string) => string;
  readonly queryText: (request: FastifyRequest, name: string) => string | undefined;
  /** A part of the path, empty where there is none. */
  readonly pathText: (request: FastifyRequest, name: string) => string;
  readonly reply: (answer: FastifyReply, value: object, status?: number) => FastifyReply;
}
