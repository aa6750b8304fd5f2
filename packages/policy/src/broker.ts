/**
 * @module The section `broker`: hosts that are reached with a secret that the agent does not hold, and how. Here: how it is written, merged and
 * checked; `judge-broker.ts` holds calls against it. The words are those of Clawdstrike 0.2.7 (spec/policy.md POL-315).
 */
import { type Field, list, shape, type Shape, text, whole, words, wordsOf } from './field-shapes.ts';
import { RISK_LEVELS, type RiskLevel } from '@countersign/protocol';
import { POLICY_LIMITS } from './limits.ts';
import { united } from './origins.ts';
import type { PostureFault } from './posture.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
export type BrokerMethod = (typeof METHODS)[number];

/** A provider, resolved. What is absent sets no limit. */
export interface BrokerProvider {
  readonly name: string;
  /** Lower-case, without a final dot. */
  readonly host: string;
  readonly port: number;
  /** Of a call, the path or the path with its query, and nothing else. */
  readonly exact_paths: readonly string[];
  readonly methods: readonly BrokerMethod[];
  /** Name of the secret that is put into the call. Nothing here reads it. */
  readonly secret_ref: string;
  /** Lower-case. */
  readonly allowed_headers: readonly string[];
  readonly max_body_bytes?: number;
  readonly require_body_sha256: boolean;
  readonly stream_response: boolean;
  readonly require_intent_preview: boolean;
  /** Of one session. */
  readonly max_executions?: number;
  readonly approval_required_risk_levels: readonly RiskLevel[];
  readonly approval_required_data_classes: readonly string[];
}

/** The section, resolved. */
export interface Broker {
  readonly providers: readonly BrokerProvider[];
}

type Needed = Pick<BrokerProvider, 'name' | 'host' | 'exact_paths' | 'methods' | 'secret_ref'>;
export interface WrittenBroker {
  readonly providers?: readonly (Needed & Partial<BrokerProvider>)[];
}

const HTTPS = 443;
const lowered = (names: readonly string[] = []): readonly string[] => [...new Set(names.map((one) => one.toLowerCase()))].toSorted();

function fullProvider(written: Needed & Partial<BrokerProvider>): BrokerProvider {
  return {
    port: HTTPS,
    require_body_sha256: false,
    stream_response: false,
    require_intent_preview: false,
    approval_required_risk_levels: [],
    ...written,
    host: written.host.toLowerCase().replace(/\.$/, ''),
    methods: [...new Set(written.methods)],
    allowed_headers: lowered(written.allowed_headers),
    approval_required_data_classes: lowered(written.approval_required_data_classes),
  };
}

/** Providers by name: a provider replaces the one of its name as a whole. */
export function layBroker(written: WrittenBroker | undefined, base: Broker | undefined): Broker | undefined {
  if (written === undefined) return base;
  return { providers: united(base?.providers ?? [], (written.providers ?? []).map(fullProvider), ({ name }) => name) };
}

/** Everything that is wrong with a section once it lies on what it extends. */
export function brokerFaults({ providers }: Broker): readonly PostureFault[] {
  const faults: PostureFault[] = [];
  const at = 'broker.providers';
  if (providers.length === 0) faults.push({ code: 'policy_required', path: 'broker', message: 'a broker has at least one provider' });
  if (providers.length > POLICY_LIMITS.brokerProvidersMax)
    faults.push({ code: 'policy_range', path: at, message: `more than ${String(POLICY_LIMITS.brokerProvidersMax)} entries` });
  for (const [i, { exact_paths: paths, methods }] of providers.entries()) {
    const none = (field: string): PostureFault => {
      const hint = 'a provider permits nothing but what it lists';
      return { code: 'policy_required', path: `${at}[${String(i)}].${field}`, message: `\`${field}\` must not be empty`, hint };
    };
    if (paths.length === 0) faults.push(none('exact_paths'));
    if (methods.length === 0) faults.push(none('methods'));
  }
  return faults.slice(0, POLICY_LIMITS.faultsMax);
}

const FLAG: Field = { is: 'flag' };
const NAME: Field = { is: 'text', max: POLICY_LIMITS.entryCharsMax };
const PORT = whole(1, 65_535);
const PROVIDER_FIELDS: Readonly<Record<string, Field>> = {
  name: text('label'),
  host: text('plain-host'),
  port: PORT,
  exact_paths: list(text('url-path')),
  methods: list(
    words(Object.fromEntries(METHODS.flatMap((method) => [[method, method] as const, [method.toLowerCase(), method] as const]))),
  ),
  secret_ref: NAME,
  allowed_headers: list(text('header-name')),
  max_body_bytes: whole(0, POLICY_LIMITS.argsBytesMax),
  require_body_sha256: FLAG,
  stream_response: FLAG,
  require_intent_preview: FLAG,
  max_executions: whole(0, POLICY_LIMITS.durationSecondsMax),
  approval_required_risk_levels: list(wordsOf(RISK_LEVELS)),
  approval_required_data_classes: list(NAME),
};
const NEEDED = ['name', 'host', 'exact_paths', 'methods', 'secret_ref'];

/** As written. */
export const BROKER: Shape = shape(
  {
    providers: list(
      shape(PROVIDER_FIELDS, {
        required: NEEDED,
        nullable: new Set(Object.keys(PROVIDER_FIELDS).filter((name) => !NEEDED.includes(name))),
      }),
      'name',
    ),
  },
  { required: ['providers'] },
);

const OPTIONAL: ReadonlySet<string> = new Set(['max_body_bytes', 'max_executions']);

/** As resolved. */
export const RESOLVED_BROKER: Shape = shape(
  {
    providers: list(
      shape(
        { ...PROVIDER_FIELDS, methods: list(wordsOf(METHODS)) },
        { required: Object.keys(PROVIDER_FIELDS).filter((name) => !OPTIONAL.has(name)) },
      ),
      'name',
    ),
  },
  { required: ['providers'] },
);
