/** @module ROT13, only where it reveals a word that has no business being hidden: the cipher of every text is another text. */

/** Words whose ROT13 is no word of any language likely to be met. */
const HIDDEN_WORDS = [
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

/** Rotates the ASCII letters by thirteen. */
export function rot13(text: string): string {
  let out = '';
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    const low = code | 0x20;
    if (low < 0x61 || low > 0x7a) out += text.charAt(i);
    else out += String.fromCharCode(code + (low <= 0x6d ? 13 : -13));
  }
  return out;
}

/** The words to look for in the text as it is. */
export const ROT13_WORDS: readonly string[] = HIDDEN_WORDS.map(rot13);
