/**
 * @module Placeholders and chance: what looks like a secret and is none (`your_api_key`, `xxxx`, `<token>`, `${VAR}`, `AKIA...EXAMPLE`),
 * and how surprising a value is. Values are at most a few hundred characters long here.
 */

const WORDS =
  /example|sample|placeholder|changeme|change[_-]me|replace|your[_-]?|my[_-]?(?:secret|key|token|password)|dummy|insert|redacted|removed|hidden|fake|not[_-]?a?[_-]?real|todo|xxxx|\*{3}|\.{3}|<[^>]{1,64}>|\$\{[A-Za-z_][\w.:-]{0,64}\}|\{\{[^{}]{0,64}\}\}|%\(|\$\(|^\$[A-Za-z_]|^%[A-Z_]{2,64}%$|1234567890123|abcdefgh|01234567|deadbeef|foobar|lorem/i;

/** True for a value nobody could log in with. */
export function isPlaceholder(value: string): boolean {
  return WORDS.test(value) || isMonotone(value);
}

/** Words that people use for a password before they have one. */
const WEAK =
  /^(?:admin|root|guest|test|demo|user|default|postgres|mysql|mariadb|redis|rabbitmq|mongo|minio|elastic|docker|local|dev|sa|secret|pass(?:w(?:or)?d)?|pwd|qwerty|letmein|welcome)[\d!@_-]{0,4}$/i;
const LETTERS_MAX = 11;

/** A password that is its user's name, one of the usual words, or one short word of letters: known to everybody, or no password at all. */
export function isWeakPassword(password: string, user: string): boolean {
  if (password === user || WEAK.test(password)) return true;
  return password.length <= LETTERS_MAX && /^[a-z]+$/.test(password);
}

/** At most two different letters or digits, or one of them in most places. */
function isMonotone(value: string): boolean {
  const counts = new Map<string, number>();
  let total = 0;
  for (const sign of value) {
    if (!/[A-Za-z0-9*]/.test(sign)) continue;
    total += 1;
    counts.set(sign, (counts.get(sign) ?? 0) + 1);
  }
  if (total < 6) return false;
  const most = Math.max(...counts.values());
  return counts.size <= 2 || most * 2 >= total;
}

const LOG_TABLE_MAX = 513;
const LOG2: Float64Array = buildLog2();

/** Base-two logarithms by repeated squaring: the same bits on every machine, which `Math.log2` does not promise. */
function buildLog2(): Float64Array {
  const table = new Float64Array(LOG_TABLE_MAX);
  for (let n = 2; n < LOG_TABLE_MAX; n += 1) {
    let whole = 0;
    let rest = n;
    while (rest >= 2) {
      rest /= 2;
      whole += 1;
    }
    let fraction = 0;
    for (let bit = 0.5; bit > 2 ** -24; bit /= 2) {
      rest *= rest;
      if (rest >= 2) {
        rest /= 2;
        fraction += bit;
      }
    }
    table[n] = whole + fraction;
  }
  return table;
}

/** Shannon entropy in bits a character of at most the first 512 code units. */
export function entropyOf(value: string): number {
  const counts = new Map<number, number>();
  const length = Math.min(value.length, LOG_TABLE_MAX - 1);
  for (let i = 0; i < length; i += 1) {
    const code = value.charCodeAt(i);
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  let sum = 0;
  for (const count of counts.values()) sum += count * (LOG2[count] ?? 0);
  return length === 0 ? 0 : (LOG2[length] ?? 0) - sum / length;
}

/** How many of lower case, upper case, digits and signs a value uses. */
export function classesOf(value: string): number {
  return Number(/[a-z]/.test(value)) + Number(/[A-Z]/.test(value)) + Number(/\d/.test(value)) + Number(/[^A-Za-z0-9]/.test(value));
}
