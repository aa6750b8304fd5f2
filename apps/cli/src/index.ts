/** @module The command line as a function, for tests and for the demo. */
export { runCli } from './run-cli.ts';
export type { Sink, World } from './world.ts';
