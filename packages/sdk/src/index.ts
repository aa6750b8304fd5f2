/** @module What an application imports: a client of the gateway, `guard`, and delegation. `./embedded` is the same without a gateway. */
export type { Answer, CountedType, GatewayFault, Introspection, ScanAnswer } from './answer.ts';
export type { BreakerOptions } from './breaker.ts';
export { CountersignClient, type ClientOptions } from './client.ts';
export type { CallOptions, Countersigner, Descriptor, InspectOptions } from './countersigner.ts';
export type { RetryOptions } from './courier.ts';
export { agent, currentDelegation, delegationHeaders, type Delegation } from './delegation.ts';
export { descriptorHash, type ToolDescription } from './descriptor.ts';
export type { BlockedCode } from './blocked-code.ts';
export { CountersignBlockedError } from './errors.ts';
export { guard, type GuardOptions } from './guard.ts';
export { SDK_LIMITS } from './limits.ts';
export { currentScopeToken } from './scope.ts';
export type { Transport, WireReply, WireRequest } from './transport.ts';
