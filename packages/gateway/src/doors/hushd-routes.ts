/**
 * @module Who may call what at the hushd door: one table. A route that does not stand here cannot be added, and a request to one that
 * is not here is refused before its body is read.
 */

export const HUSHD_SCOPES = ['check', 'read', 'admin'] as const;
export type HushdScope = (typeof HUSHD_SCOPES)[number];

/** What a caller needs: nothing, a good key, or a key with the scope. Scopes do not contain each other. */
export type HushdNeed = 'public' | 'any-key' | HushdScope;

export const HUSHD_ROUTES: Readonly<Record<string, HushdNeed>> = {
  'GET /health': 'public',
  'GET /ready': 'public',
  'GET /metrics': 'read',
  'POST /api/v1/check': 'check',
  'POST /api/v1/agent/policy-check': 'check',
  'POST /api/v1/eval': 'check',
  'POST /api/v1/session': 'check',
  'GET /api/v1/session/:id': 'check',
  'DELETE /api/v1/session/:id': 'check',
  'GET /api/v1/session/:id/posture': 'check',
  'POST /api/v1/session/:id/transition': 'admin',
  'GET /api/v1/policy': 'read',
  'PUT /api/v1/policy': 'admin',
  'POST /api/v1/policy/validate': 'admin',
  'POST /api/v1/policy/reload': 'admin',
  'GET /api/v1/policy/bundle': 'read',
  'PUT /api/v1/policy/bundle': 'admin',
  'GET /api/v1/policy/resolve': 'read',
  'GET /api/v1/audit': 'read',
  'GET /api/v1/audit/stats': 'read',
  'POST /api/v1/audit/batch': 'admin',
  'GET /api/v1/events': 'read',
  'GET /api/v1/me': 'any-key',
  'POST /api/v1/agent/heartbeat': 'check',
  'GET /api/v1/agents/status': 'read',
  'GET /api/v1/receipts/:id': 'read',
  'POST /api/v1/receipts/verify': 'read',
};

/** Endpoints of hushd 0.2.7 that do not exist here: refused by name, with the `admin` scope only, and never half done. */
const UNSUPPORTED: readonly (readonly [prefix: string, instead: string])[] = [
  ['/api/v1/broker', 'credentials are not brokered; scope tokens of the Clampd door bind a call to its parameters'],
  ['/api/v1/scoped-policies', 'one policy is in force for the installation'],
  ['/api/v1/policy-assignments', 'one policy is in force for the installation'],
  ['/api/v1/rbac', 'scopes of keys are the only roles'],
  ['/api/v1/auth', 'only keys are known here'],
  ['/api/v1/webhooks', 'identity providers are not connected'],
  ['/api/v1/siem', 'export receipts with `countersign receipt export`'],
  ['/api/v1/swarm', 'there is no swarm hub'],
  ['/api/v1/presence', 'there is no presence'],
  ['/api/v1/receipts/replay', 'receipts are replayed with `countersign replay`'],
  ['/api/v1/shutdown', 'stop the process'],
  ['/v1', 'certifications are not issued here'],
];

/** What to do instead of an endpoint that exists in the original and not here; undefined for any other path. */
export function unsupportedEndpoint(url: string): string | undefined {
  const path = url.split('?', 1)[0] ?? '';
  return UNSUPPORTED.find(([prefix]) => path === prefix || path.startsWith(`${prefix}/`))?.[1];
}
