/** @module The gateway as a process: what the command line's `up` and `demo` start. */
export { banner, readyLine, type BannerFacts } from './banner.ts';
export { startCredentials, type StartCredentials } from './first-start.ts';
export { serve, type Server } from './serve.ts';
export { readSettings, type Settings } from './settings.ts';
