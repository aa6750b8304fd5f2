/**
 * @module A fault of V8 kept away (nodejs/node issue 64500, seen on Node 24.21). What WebAssembly calls in JavaScript is compiled anew after
 * 1,000 calls, and the code before it freed from a cache that all threads of the process share; two threads at it can end the process
 * (`Check failed: jit_page_->allocations_.erase(addr) == 1`). Never compiling anew
 * leaves nothing to free; the price is that these calls keep their first, general code.
 */
import { setFlagsFromString } from 'node:v8';

/** The highest that V8 takes: calls of one import until it would be compiled anew. */
const CALLS_MAX = 2_147_483_647;

/** For the whole process; instances that are there already keep what they have, so call it before the first one. */
export function keepWasmWrappers(): void {
  setFlagsFromString(`--wasm-wrapper-tiering-budget=${CALLS_MAX}`);
}
