/** @module Where the gateway's own program is: beside its package's entry, compiled or, in development, as source. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface ServerMain {
  readonly main: string;
  /** Options that Node needs to run it. */
  readonly args: readonly string[];
}

/** The compiled program where there is one. */
export function serverMain(): ServerMain {
  const compiled = fileURLToPath(new URL('../../server/dist/main.js', import.meta.url));
  if (existsSync(compiled)) return { main: compiled, args: [] };
  return { main: fileURLToPath(new URL('../../server/src/main.ts', import.meta.url)), args: ['--conditions=@countersign/source'] };
}
