/**
 * @module A decision as an OCSF 1.4.0 event: Detection Finding (2004) for what was judged, and the activity itself as Process (1007), File System (1001)
 * or Network Activity (4001), with what was decided of it. Field names and numbers are those of the schema (ocsf.io); what they mean is in spec/policy.md POL-277.
 */
import type { JsonObject } from '@countersign/kernel';
import type { PolicyEvent } from '@countersign/policy';
import type { Severity } from '@countersign/protocol';
import type { EventDecision } from './event-decisions.ts';

export interface OcsfProduct {
  readonly version: string;
}

const SEVERITY: Readonly<Record<Severity, readonly [id: number, name: string]>> = {
  info: [1, 'Informational'],
  low: [2, 'Low'],
  medium: [3, 'Medium'],
  high: [4, 'High'],
  critical: [5, 'Critical'],
};
const SCHEMA = '1.4.0';

/** Milliseconds since 1970 of an RFC 3339 time; undefined where the event has none. */
function timeOf(event: PolicyEvent | undefined): number | undefined {
  const time = event?.time === undefined ? Number.NaN : Date.parse(event.time);
  return Number.isFinite(time) ? time : undefined;
}

/** Whatever has been decided: allowed is success, else failure and blocked. A warning was allowed. */
function dispositionOf({ outcome }: EventDecision): JsonObject {
  const id = outcome === 'blocked' ? 2 : 1;
  return { status_id: id, action_id: id, disposition_id: id };
}

interface Base {
  readonly classUid: number;
  readonly activity: readonly [id: number, name: string];
}

function baseOf(
  decided: EventDecision,
  { classUid, activity }: Base,
  given: { readonly product: OcsfProduct; readonly nowMs: number },
): JsonObject {
  const [severityId, severity] = SEVERITY[decided.severity ?? 'info'];
  return {
    class_uid: classUid,
    category_uid: Math.floor(classUid / 1000),
    type_uid: classUid * 100 + activity[0],
    activity_id: activity[0],
    activity_name: activity[1],
    time: timeOf(decided.event) ?? given.nowMs,
    severity_id: severityId,
    severity,
    ...dispositionOf(decided),
    message: decided.message,
    metadata: {
      version: SCHEMA,
      product: { name: 'Countersign', uid: 'countersign', vendor_name: 'Countersign', version: given.product.version },
      original_uid: decided.id,
    },
  };
}

function actorOf({ event }: EventDecision): JsonObject {
  return {
    user: { name: 'agent', uid: 'unknown' },
    app_name: 'countersign',
    ...(event?.session === undefined ? {} : { session: { uid: event.session } }),
  };
}

/** The decision, as a finding. */
export function ocsfFinding(decided: EventDecision, product: OcsfProduct, nowMs: number): JsonObject {
  const { id, guard, message, event } = decided;
  const name = guard ?? 'policy';
  return {
    ...baseOf(decided, { classUid: 2004, activity: [1, 'Create'] }, { product, nowMs }),
    finding_info: { uid: id, title: `${name} decision`, analytic: { name, type_id: 1, type: 'Rule' }, desc: message },
    actor: actorOf(decided),
    resources: event === undefined ? [] : [{ name: event.resource.name, type: event.resource.kind }],
  };
}

function text(event: PolicyEvent, key: string): string | undefined {
  const { params } = event.action;
  if (typeof params !== 'object' || params === null || Array.isArray(params) || !Object.hasOwn(params, key)) return undefined;
  const value = (params as JsonObject)[key];
  return typeof value === 'string' ? value : undefined;
}

function port(event: PolicyEvent): JsonObject {
  const { params } = event.action;
  const value = typeof params === 'object' && params !== null && !Array.isArray(params) ? (params as JsonObject)['port'] : undefined;
  return typeof value === 'number' ? { port: value } : {};
}

const ADDRESS = /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f:]*:[0-9a-f:.]*)$/i;

function endpointOf(event: PolicyEvent): JsonObject {
  const host = text(event, 'host') ?? '';
  return { ...(ADDRESS.test(host) ? { ip: host } : { hostname: host }), ...port(event) };
}

/** Numbers of the internet protocols (IANA) that names of the web run over too; others are said by their name alone. */
const PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ['tcp', 6],
  ['http', 6],
  ['https', 6],
  ['udp', 17],
]);

function protocolOf(event: PolicyEvent): JsonObject {
  const name = text(event, 'protocol') ?? 'tcp';
  const number = PROTOCOLS.get(name.toLowerCase());
  return { protocol_name: name, ...(number === undefined ? {} : { protocol_num: number }) };
}

function fileOf(event: PolicyEvent): JsonObject {
  const path = text(event, 'path') ?? '';
  return { path, name: path.split(/[/\\]/).at(-1) ?? path, type_id: 1 };
}

interface Activity extends Base {
  readonly object: (event: PolicyEvent) => JsonObject;
}

const file = (id: number, name: string): Activity => ({
  classUid: 1001,
  activity: [id, name],
  object: (event) => ({ file: fileOf(event) }),
});

const ACTIVITIES: ReadonlyMap<string, Activity> = new Map([
  ['file.read', file(2, 'Read')],
  ['file.write', file(3, 'Update')],
  ['file.patch', file(3, 'Update')],
  [
    'shell.exec',
    {
      classUid: 1007,
      activity: [1, 'Launch'],
      object: (event) => ({ process: { name: event.resource.name, cmd_line: text(event, 'command') ?? '' } }),
    },
  ],
  [
    'net.egress',
    {
      classUid: 4001,
      activity: [6, 'Traffic'],
      object: (event) => ({
        dst_endpoint: endpointOf(event),
        connection_info: { ...protocolOf(event), direction: 'Outbound', direction_id: 2 },
      }),
    },
  ],
]);

/** The activity that was judged, where the schema has a class for it. */
export function ocsfActivity(decided: EventDecision, product: OcsfProduct, nowMs: number): JsonObject | undefined {
  const { event } = decided;
  const activity = event === undefined ? undefined : ACTIVITIES.get(event.action.kind);
  if (event === undefined || activity === undefined) return undefined;
  return { ...baseOf(decided, activity, { product, nowMs }), actor: actorOf(decided), ...activity.object(event) };
}
