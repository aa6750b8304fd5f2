/** @module The HTTP service: gateway, way out, live feed. */
export type { Evidence, OperatorDoor } from './doors/operator.ts';
export type { PolicyDesk } from './doors/operator-policies.ts';
export type { VerifyPage } from './doors/verify-page.ts';
export { createHushdGateway, type HushdOptions } from './doors/hushd.ts';
export type { HushdKey, HushdKeyring } from './doors/hushd-access.ts';
export type { HushdAudit, HushdReceipts } from './doors/hushd-door.ts';
export { rangeOf } from './doors/hushd-rate.ts';
export { HUSHD_SCOPES, type HushdScope } from './doors/hushd-routes.ts';
export { isPublicAddress } from './address-guard.ts';
export { createEgress, type Egress, type EgressOptions } from './egress.ts';
export type { Resolve } from './guarded-lookup.ts';
export { createFeedHub, type FeedFrame, type FeedHub, type FeedLimits, type FeedSink } from './feed.ts';
export { createGateway, type GatewayOptions } from './gateway.ts';
export type { GatewayServerLimits } from './http-service.ts';
export { GATEWAY_LIMITS } from './limits.ts';
export type { Gauge } from './metrics.ts';
