/** @module The bodies of the operator door, as JSON Schema. Unknown properties are refused: a misspelt one must not pass for a default. */
import { KEY_PERMISSIONS } from '@countersign/pipeline';
import { AGENT_TRUSTS } from '@countersign/protocol';

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
const trust = { enum: [...AGENT_TRUSTS] };
export const AGENT_SCHEMA: object = body(['name'], { org, name, scopes, trust, id: { type: 'string', maxLength: 36 } });
export const STATE_SCHEMA: object = body(['state', 'reason'], { state: { enum: ['active', 'suspended', 'killed'] }, reason });
export const REASON_SCHEMA: object = body(['reason'], { reason });
export const TRUST_SCHEMA: object = body(['trust'], { trust });
export const SCOPES_SCHEMA: object = body(['scopes'], { scopes });
export const KEY_SCHEMA: object = body([], {
  org,
  label: { type: 'string', maxLength: 128 },
  kind: { enum: ['read', 'write', 'kill'] },
  environment: { enum: ['live', 'test'] },
  permissions: { type: 'array', maxItems: 8, items: { enum: [...KEY_PERMISSIONS] } },
});
export const APPROVAL_SCHEMA: object = body(['tool'], {
  org,
  tool: { type: 'string', minLength: 1, maxLength: 256 },
  hash: { type: 'string', maxLength: 64 },
  scope: { type: ['string', 'null'], maxLength: 128 },
});
export const POLICY_SCHEMA: object = body(['source'], { source: { type: 'string', minLength: 1, maxLength: 1_048_576 } });
/** A rule document; its own limit is told with the place that is too long. */
export const RULES_SCHEMA: object = body(['source'], { source: { type: 'string', minLength: 1, maxLength: 2_097_152 } });
/** Lengths are the desk's to judge: it says what is wrong with a name or a reason. */
const words = { type: 'string', maxLength: 4096 };
export const ERASE_SCHEMA: object = body(['subject', 'reason'], { org, subject: words, reason: words });
export const ROTATE_SCHEMA: object = body([], { org, subject: words });
export const SESSION_END_SCHEMA: object = body(['session', 'reason'], { org, session: words, reason: words });
export const TRANSITION_SCHEMA: object = body(['session', 'reason'], {
  org,
  session: words,
  to: { type: 'string', minLength: 1, maxLength: 48 },
  on: { enum: ['user_approval', 'user_denial'] },
  reason: words,
});
const log = { type: 'string', minLength: 1, maxLength: 64 };
export const LOG_ONLY_SCHEMA: object = body([], { log });
/** A signed note, as a consistency file takes one. */
const note = { type: 'string', minLength: 1, maxLength: 65_536 };
export const CONSISTENCY_SCHEMA: object = body(['old'], { old: note, new: note, log });
const directory = { type: 'string', minLength: 1, maxLength: 4096 };
export const ARCHIVE_SCHEMA: object = body(['before', 'directory'], {
  before: { type: ['integer', 'string'], minimum: 0, maximum: Number.MAX_SAFE_INTEGER, maxLength: 32 },
  directory,
  log,
});
export const RESTORE_SCHEMA: object = body(['directory'], { directory, log });
