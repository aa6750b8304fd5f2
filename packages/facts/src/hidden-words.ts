/** @module Words that have no business being hidden: text is read in another spelling only where that spelling shows one of them. */

/** In plain letters, lower case. */
export const HIDDEN_WORDS = [
  'ignore',
  'previous',
  'instructions',
  'password',
  'system',
  'prompt',
  'delete',
  'select',
  'secret',
  'credentials',
  'jailbreak',
  'developer mode',
  'drop table',
  'reveal',
  'disregard',
  'exfiltrate',
  'bypass',
  'override',
  'passwd',
  'curl',
  'sudo',
] as const;

/** Those whose rotation by any number of places is no word of a language likely to be met, for they are long. */
export const LONG_HIDDEN_WORDS = ['ignore', 'previous', 'instructions', 'password', 'system', 'prompt', 'disregard'] as const;

/** Beginnings and short words that almost any hidden sentence holds. */
export const HIDDEN_BEGINNINGS = [
  'the',
  'all',
  'and',
  'you',
  'ignor',
  'gnore',
  'instr',
  'syst',
  'prom',
  'pass',
  'reve',
  'prev',
  'forg',
  'disr',
] as const;
