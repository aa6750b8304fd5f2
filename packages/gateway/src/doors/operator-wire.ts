/** @module The bodies of the operator door, as JSON Schema. Unknown properties are refused: a misspelt one must not pass for a default. */

const name = { type: 'string', minLength: 1, maxLength: 128 };
const org = { type: 'string', minLength: 1, maxLength: 64 };
const reason = { type: 'string', minLength: 1, maxLength: 256 };
const scopes = { type: 'array', maxItems: 64, items: { type: 'string', maxLength: 128 } };
const mode = { enum: ['learning', 'locked'] };

function body(required: readonly string[], properties: object): object {
  return { type: 'object', required, properties, additionalProperties: false };
}

export const ORG_SCHEMA: object = body(['name'], { name, mode });
export const MODE_SCHEMA: object = body(['mode'], { mode });
/** What a log may be called is the desk's to judge. */
const logText = { type: 'string', maxLength: 4096 };
export const LOG_SCHEMA: object = body(['name'], { name: logText, origin: logText });
export const ORG_LOG_SCHEMA: object = body(['log'], { log: logText });
export const AGENT_SCHEMA: object = body(['name'], { org, name, scopes, id: { type: 'string', maxLength: 36 } });
export const STATE_SCHEMA: object = body(['state', 'reason'], { state: { enum: ['active', 'suspended', 'killed'] }, reason });
export const REASON_SCHEMA: object = body(['reason'], { reason });
export const SCOPES_SCHEMA: object = body(['scopes'], { scopes });
export const KEY_SCHEMA: object = body([], {
  org,
  label: { type: 'string', maxLength: 128 },
  kind: { enum: ['read', 'write', 'kill'] },
  environment: { enum: ['live', 'test'] },
});
export const APPROVAL_SCHEMA: object = body(['tool'], {
  org,
  tool: { type: 'string', minLength: 1, maxLength: 256 },
  hash: { type: 'string', maxLength: 64 },
  scope: { type: ['string', 'null'], maxLength: 128 },
});
export const POLICY_SCHEMA: object = body(['source'], { source: { type: 'string', minLength: 1, maxLength: 1_048_576 } });
/** Lengths are the desk's to judge: it says what is wrong with a name or a reason. */
const words = { type: 'string', maxLength: 4096 };
export const ERASE_SCHEMA: object = body(['subject', 'reason'], { org, subject: words, reason: words });
export const ROTATE_SCHEMA: object = body([], { org, subject: words });
