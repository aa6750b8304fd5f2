/** @module Policies that are made to cost much: beyond every limit of the room, and at it. */
import { type DocumentSources, POLICY_LIMITS } from '@countersign/policy';

export interface PolicyBomb {
  /** What the documents are: refused, or as large as may be. */
  readonly ends: 'refused' | 'loaded';
  /** The document; `./n0.yaml` in `extends` asks for what stands in `ancestor`. */
  readonly text: () => string;
  /** The document of a number, which the one before it extends. */
  readonly ancestor?: (number: number) => string;
}

const { listMax, documentBytesMax, regexCharsMax, extendsDepthMax, postureStatesMax, postureTransitionsMax, cedarPoliciesMax, marksMax } =
  POLICY_LIMITS;
const TEN_MB = 10 * 1024 * 1024;

function filled(piece: string): string {
  return piece.repeat(Math.ceil(TEN_MB / piece.length));
}

function times(count: number, make: (i: number) => string): string {
  return Array.from({ length: count }, (_, i) => make(i)).join(', ');
}

/** A list under a field of a guard. */
function listed(guard: string, field: string, entries: string): string {
  return `  ${guard}: {enabled: true, ${field}: [${entries}]}\n`;
}

/** As many entries in each list as there may be. */
function fullLists(each: (i: number) => string): string {
  const lists = [
    listed(
      'forbidden_path',
      'patterns',
      times(listMax, (i) => `"/srv/${each(i)}/**/*.key"`),
    ),
    listed(
      'path_allowlist',
      'file_access_allow',
      times(listMax, (i) => `"/w/${each(i)}/**"`),
    ),
    listed(
      'egress_allowlist',
      'allow',
      times(listMax, (i) => `"*.${each(i)}.example"`),
    ),
    listed(
      'mcp_tool',
      'block',
      times(listMax, (i) => `tool_${each(i)}`),
    ),
    listed(
      'computer_use',
      'allowed_actions',
      times(listMax, (i) => `remote.${each(i)}`),
    ),
  ];
  return `guards:\n${lists.join('')}detection: {disable: [${times(listMax, (i) => `R${String(i)}`)}]}\n`;
}

function aliases(levels: number): string {
  const level = (i: number): string => `a${String(i)}: &a${String(i)} [${times(9, () => `*a${String(i - 1)}`)}]\n`;
  return `a0: &a0 [x]\n${Array.from({ length: levels }, (_, i) => level(i + 1)).join('')}`;
}

function regexes(count: number, make: (i: number) => string): string {
  return `guards:\n${listed(
    'shell_command',
    'forbidden_patterns',
    times(count, (i) => `"${make(i)}"`),
  )}`;
}

/** A posture with all states and transitions; in the child one state permits less and a transition is new. */
function posture(more: string): string {
  const states = times(postureStatesMax, (i) => `s${String(i)}: {capabilities: [file_access, file_write], budgets: {file_writes: 9}}`);
  const edge = (i: number): string =>
    `{from: s${String(i % postureStatesMax)}, to: s${String((i * 7) % postureStatesMax)}, on: any_violation}`;
  return `posture:\n  initial: s0\n  states: {${states}}\n  transitions: [${times(postureTransitionsMax - 1, edge)}${more}]\n`;
}

function boundaries(count: number, name: string): string {
  return `boundaries: [${times(count, (i) => `{name: ${name}${String(i)}, agents: ["${name}${String(i)}*"], max_records: 1}`)}]\n`;
}

const NEXT = 'extends: ./n0.yaml\n';
const ATTENUATED = `${NEXT}attenuate_only: true\n`;

function nextOf(number: number): string {
  return number + 1 < extendsDepthMax - 1 ? `extends: ./n${String(number + 1)}.yaml\n` : '';
}

function padded(text: string): string {
  return `${text}#${'x'.repeat(Math.max(0, documentBytesMax - text.length - 2))}\n`;
}

export const POLICY_BOMBS: Readonly<Record<string, PolicyBomb>> = {
  'an endless chain': { ends: 'refused', text: () => NEXT, ancestor: (i) => padded(`extends: ./n${String(i + 1)}.yaml\n`) },
  'an endless chain of full lists': {
    ends: 'refused',
    text: () => NEXT,
    ancestor: (i) => `extends: ./n${String(i + 1)}.yaml\n${fullLists((j) => `${String(i)}x${String(j)}`)}`,
  },
  'a chain of as many documents as may be': {
    ends: 'loaded',
    text: () => NEXT,
    ancestor: (i) => `${nextOf(i)}guards: {mcp_tool: {block: [${times(1000, (j) => `t${String(i)}x${String(j)}`)}]}}\n`,
  },
  'lists at the limit': { ends: 'loaded', text: () => fullLists((i) => `d${String(i)}`) },
  'lists beyond the limit': { ends: 'refused', text: () => `guards: {mcp_tool: {block: [${'a,'.repeat(listMax + 1)}]}}\n` },
  'lists of hosts with all their alternatives': {
    ends: 'loaded',
    text: () => {
      const hosts = times(listMax, (i) => `"{a,b,c,d}{e,f,g,h}${String(i)}.example"`);
      return `guards:\n  egress_allowlist: {enabled: true, allow: [${hosts}], block: [${hosts}]}\n`;
    },
  },
  'hosts with more alternatives than a list may have': {
    ends: 'refused',
    text: () => `guards: {egress_allowlist: {allow: [${times(listMax, (i) => `"{a,b,c,d}{e,f,g,h}{i,j}${String(i)}.example"`)}]}}\n`,
  },
  'expressions at the limit': { ends: 'loaded', text: () => regexes(40, (i) => `${'x'.repeat(900)}${String(i)}`) },
  'expressions beyond the limit': { ends: 'refused', text: () => regexes(listMax, (i) => `${'y'.repeat(200)}${String(i)}`) },
  'a thousand patterns of secrets': {
    ends: 'loaded',
    text: () =>
      `guards: {secret_leak: {patterns: [${times(listMax, (i) => `{name: s${String(i)}, pattern: "K${String(i)}[0-9]{9}"}`)}]}}\n`,
  },
  'catastrophic expressions': { ends: 'refused', text: () => regexes(listMax, () => '(a+)+$') },
  'counts within counts': { ends: 'refused', text: () => regexes(listMax, () => '(?:(?:a{1,999}){1,999}){1,999}b') },
  'an expression of many ambiguous loops': {
    ends: 'refused',
    text: () => regexes(200, () => `${'(?:a|b)*'.repeat(Math.floor(regexCharsMax / 8))}c`),
  },
  '10 MB of letters': { ends: 'refused', text: () => filled('a') },
  '10 MB of lists': { ends: 'refused', text: () => filled('[') },
  '10 MB of keys': { ends: 'refused', text: () => filled('x: 1\n') },
  '10 MB of anchors': { ends: 'refused', text: () => filled('&a [*a] ') },
  'brackets at the limit of bytes': { ends: 'refused', text: () => '['.repeat(documentBytesMax - 1) },
  'one long scalar at the limit of bytes': {
    ends: 'refused',
    text: () => `name: "${'\\u2603'.repeat(Math.floor((documentBytesMax - 16) / 6))}"\n`,
  },
  'marks at the limit': { ends: 'refused', text: () => `guards: {mcp_tool: {block: [${'[],'.repeat(marksMax / 2 - 8)}]}}\n` },
  'values at the limit': { ends: 'refused', text: () => `guards: {mcp_tool: {block: [${'a,'.repeat(marksMax - 16)}]}}\n` },
  'aliases that grow': { ends: 'refused', text: () => aliases(12) },
  'aliases at the limit': { ends: 'refused', text: () => aliases(4) },
  'the same in HushSpec': {
    ends: 'refused',
    text: () => `hushspec: "0.1.0"\nrules: {tool_access: {block: [${'a,'.repeat(listMax + 1)}]}}\n`,
  },
  'a posture at the limit, only tighter': {
    ends: 'loaded',
    text: () => `${ATTENUATED}${posture(', {from: "*", to: locked, on: any_violation}')}`,
    ancestor: () => posture(''),
  },
  'boundaries at the limit, only tighter': {
    ends: 'loaded',
    text: () => `${ATTENUATED}${boundaries(listMax / 2, 'c')}`,
    ancestor: () => boundaries(listMax / 2, 'p'),
  },
  'lists at the limit, only tighter': {
    ends: 'loaded',
    text: () => `${ATTENUATED}guards: {mcp_tool: {max_args_size: 1}}\n`,
    ancestor: () => fullLists((i) => `d${String(i)}`),
  },
  'host lists that nothing covers, only tighter': {
    ends: 'refused',
    text: () => `${ATTENUATED}guards: {egress_allowlist: {allow: [${times(listMax, (i) => `"*.c${String(i)}.example"`)}]}}\n`,
    ancestor: () => fullLists((i) => `d${String(i)}`),
  },
  'exemptions at the limit, only tighter': {
    ends: 'refused',
    text: () =>
      `${ATTENUATED}exemptions: [${times(200, (i) => `{label: c${String(i)}, rules: [${times(40, (j) => `R${String(j)}`)}], scope: "db:x:y"}`)}]\n`,
    ancestor: () =>
      `exemptions: [${times(200, (i) => `{label: p${String(i)}, rules: [${times(40, (j) => `R${String(j)}`)}], scope: "db:q:r${String(i)}"}`)}]\n`,
  },
  'Cedar policies beyond the limit': {
    ends: 'refused',
    text: () => `cedar: {text: "${'permit(principal,action,resource);'.repeat(cedarPoliciesMax - 128)}${'('.repeat(60)}"}\n`,
  },
};

/** The documents of a bomb, as a place that has them gives them. */
export function sourcesOf({ ancestor }: PolicyBomb): DocumentSources {
  const nowhere = async (): Promise<never> => Promise.reject(new Error('a bomb asks for files alone'));
  return {
    file: async (path) => {
      const text = ancestor?.(Number(/n(\d+)\.yaml$/.exec(path)?.[1] ?? '0')) ?? '';
      return Promise.resolve({ ok: true, value: { realPath: `/${path}`, bytes: new TextEncoder().encode(text) } });
    },
    https: nowhere,
    git: nowhere,
  };
}
