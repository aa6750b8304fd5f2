/** @module The text of an engine as a URL that holds it: for threads, which share nothing with this one, and for platforms without import hooks. */

export function engineUrl(bytes: Uint8Array): string {
  return `data:text/javascript;base64,${Buffer.from(bytes).toString('base64')}`;
}
