/** @module Whether a text that is not known to be SQL reads like it: cheap and linear. */
import { readFragment } from './sql-fragment.ts';
import { SQL_LIMITS } from './sql-limits.ts';

const START =
  /^[\s(;\u00a0]{0,64}(select|insert|replace|update|delete|merge|drop|truncate|alter|create|grant|revoke|copy|call|exec|execute|declare|with|explain|attach|pragma|load|bulk|waitfor|shutdown)\b/i;
/** All must match. Each is anchored or bounded: none scans the rest of the text from more than one place. */
const BODY: Readonly<Record<string, readonly RegExp[]>> = {
  select: [/\bfrom\s{1,16}[\w"'`[(.]|^\W*select\s{0,8}(?:[\d*@('"]|\w{1,32}\(|(?:current|session|system)_user\b)|\bunion\b/i],
  insert: [/\binto\s/i],
  replace: [/\binto\s/i, /\bvalues\b/i],
  update: [/\bset\s{1,16}[\w"`[.]{1,64}\]?\s{0,8}=/i],
  delete: [/^\W*delete\s{1,16}from\s{1,16}[\w"`[.]{1,128}\]?\s{0,8}(?:$|;|where\b|--|\/\*|limit\b|using\b)/i],
  merge: [/\binto\b/i, /\busing\b/i],
  drop: [
    /^\W*drop\s{1,16}(?:table|database|schema|view|index|role|user|function|procedure|trigger|sequence|type|login)\s{1,16}\S{1,128}(?:\s{0,16}(?:$|;|,|cascade|restrict|--|#|\/\*)|\s{1,16}exists\b)/i,
  ],
  truncate: [/^\W*truncate\s{1,16}(?:table\s{1,16})?[\w"`.[\]]{1,128}\s{0,16}(?:$|;|,|cascade|restart)/i],
  alter: [/^\W*alter\s{1,16}(?:table|database|schema|view|role|user|system|login|index|function)\s{1,16}\S/i],
  create: [
    /^\W*create\s{1,16}(?:or\s{1,16}replace\s{1,16})?(?:temp(?:orary)?\s{1,16})?(?:table\s{1,16}\S{1,128}\s{0,8}(?:\(|as\b|like\b)|(?:database|schema|role|user|login|extension)\s{1,16}\S{1,128}\s{0,8}(?:$|;|with\b|identified\b|password\b)|(?:view|index|function|procedure|trigger|unique)\b[\s\S]*[(=])/i,
  ],
  grant: [/\b(?:on|all|select|insert|update|delete|role|admin)\b/i, /\bto\s{1,16}\w/i],
  revoke: [/\b(?:on|all|select|insert|update|delete)\b/i, /\bfrom\b/i],
  copy: [/^\W*copy\s{1,16}[\w"(.]/i, /\b(?:from|to)\s{1,16}(?:program\b|stdin\b|stdout\b|')/i],
  call: [/^\W*call\s{1,16}[\w.]{1,128}\s{0,4}\(/i],
  exec: [/^\W*exec\s{0,4}\(\s{0,8}[@'"n]|^\W*exec\s{1,16}(?:\w{1,32}\.\.?)?(?:xp_|sp_|master|@)/i],
  execute: [/^\W*execute\s{1,16}(?:immediate\b|as\b|\w{1,32}\s{0,4}\(|(?:\w{1,32}\.\.?)?(?:xp_|sp_))/i],
  declare: [/@\w|\bcursor\b/i],
  with: [
    /^\W*with\s{1,16}(?:recursive\s{1,16})?[\w"`]{1,128}\s{0,8}(?:\([^)]{0,512}\)\s{0,8})?as\s{0,8}(?:not\s{1,8})?(?:materialized\s{0,8})?\(/i,
  ],
  explain: [/\b(?:select|insert|update|delete)\b/i],
  attach: [/^\W*attach\s{1,16}database\b/i],
  pragma: [/^\W*pragma\s{1,16}\w{1,64}\s{0,8}(?:$|;|=|\()/i],
  load: [/^\W*load\s{1,16}data\b/i],
  bulk: [/^\W*bulk\s{1,16}insert\b/i],
  waitfor: [/^\W*waitfor\s{1,16}(?:delay|time)\b/i],
  shutdown: [/^\W*shutdown\s{0,16}(?:$|;|with\b|--)/i],
};

/** True when a text is a SQL statement, holds one behind comments, or is a fragment that would change one. */
export function looksLikeSql(text: string): boolean {
  const half = SQL_LIMITS.fragmentCharsMax / 2;
  const looked = text.length > half * 2 ? `${text.slice(0, half)} ${text.slice(-half)}` : text;
  const bare = looked.replace(/^(?:\s|--[^\n]*\n|#[^\n]*\n|\/\*(?:[^*]|\*(?!\/))*\*\/){1,64}/, '');
  const head = START.exec(bare)?.[1]?.toLowerCase() ?? '';
  const body = BODY[head];
  if (body?.every((pattern) => pattern.test(bare)) === true) return true;
  return readFragment(looked).fragment !== undefined;
}
