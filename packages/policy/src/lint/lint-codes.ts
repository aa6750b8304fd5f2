/**
 * @module What `policy lint` can say. STY, SEC and POS are the codes of Clawdstrike, with its meaning; CS are ours (spec/policy.md POL-271).
 */

export type LintLevel = 'error' | 'warning' | 'note';

export interface LintCode {
  readonly level: LintLevel;
  /** One line. */
  readonly title: string;
  /** Why it matters, and what to do. */
  readonly why: string;
}

const ORDER = 'A list in order, each entry once, makes a change show as the one line that it is.';

function order(list: string): LintCode {
  return { level: 'note', title: `\`${list}\` is not in order, or holds an entry twice`, why: ORDER };
}

function regex(list: string): LintCode {
  const why =
    'Ours is a linear matcher, but others read these documents with engines that go back, and there this one can run for hours. Say it without a repetition inside a repetition.';
  return { level: 'error', title: `an expression of \`${list}\` is exponential elsewhere`, why };
}

const TABLE: readonly (readonly [string, LintCode])[] = [
  ['STY001', { level: 'warning', title: 'the policy has no name', why: 'Receipts, lists and alarms show it. Say `name: ...`.' }],
  ['STY002', { level: 'note', title: 'the policy has no description', why: 'Say for whom it is meant and what it permits.' }],
  ['STY010', order('guards.egress_allowlist.allow')],
  ['STY011', order('guards.egress_allowlist.block')],
  ['STY020', order('guards.forbidden_path.patterns')],
  ['STY021', order('guards.forbidden_path.exceptions')],
  ['STY030', order('guards.secret_leak.skip_paths')],
  ['STY040', order('guards.patch_integrity.forbidden_patterns')],
  ['SEC001', { level: 'warning', title: 'every host may be reached', why: 'An allowed `*` makes the list useless: name the hosts.' }],
  [
    'SEC002',
    { level: 'warning', title: 'a host is both allowed and blocked', why: 'The block wins, so the other entry misleads. Take one away.' },
  ],
  [
    'SEC010',
    {
      level: 'warning',
      title: 'every path is forbidden',
      why: 'A forbidden `**` refuses every file action. If that is meant, disable the tools.',
    },
  ],
  ['SEC020', regex('guards.secret_leak.patterns')],
  ['SEC021', regex('guards.patch_integrity.forbidden_patterns')],
  ['SEC031', { level: 'warning', title: 'every tool may be called', why: 'An allowed `*` makes the list useless: name the tools.' }],
  ['SEC040', { level: 'warning', title: '`secret_leak` is not configured, or off', why: 'Nothing then looks for keys in what goes out.' }],
  [
    'SEC041',
    { level: 'warning', title: '`shell_command` is not configured, or off', why: 'Nothing then looks at the forms of shell commands.' },
  ],
  [
    'SEC050',
    {
      level: 'warning',
      title: '`path_allowlist` allows nothing',
      why: 'It is on and all of its lists are empty: every file action is refused.',
    },
  ],
  ['POS001', { level: 'warning', title: 'a posture state cannot be reached', why: 'No chain of transitions leads to it from `initial`.' }],
  [
    'POS002',
    { level: 'note', title: 'a posture state has no way out', why: 'A session that is there stays there. Only lockdowns should.' },
  ],
  ['CS001', { level: 'warning', title: 'a guard is off', why: 'Whatever only this guard sees passes.' }],
  [
    'CS002',
    { level: 'warning', title: 'hosts on no list may be reached', why: '`default_action` other than `block` lets unlisted hosts pass.' },
  ],
  [
    'CS003',
    { level: 'note', title: 'a doubt only warns', why: 'What cannot be read or confirmed passes with a warning. `block` refuses it.' },
  ],
  ['CS004', { level: 'note', title: 'unregistered tools only warn', why: 'While an org learns, tools nobody looked at may be called.' }],
  ['CS010', { level: 'error', title: 'an exception lifts every forbidden path', why: 'Name the one place that is meant.' }],
  [
    'CS011',
    { level: 'error', title: 'no file is searched for secrets', why: 'A skipped `**` skips every file. Name the places of fixtures.' },
  ],
  [
    'CS012',
    {
      level: 'warning',
      title: 'an allowed host pattern reaches the machine itself or its metadata',
      why: 'Metadata services hand out credentials of the machine; loopback reaches what trusts it. Name the host that is meant, or block these.',
    },
  ],
  [
    'CS013',
    { level: 'warning', title: 'an allowed host pattern covers a whole top-level domain', why: 'Anybody can register a name below it.' },
  ],
  ['CS014', { level: 'warning', title: 'an allowed host is covered by a block', why: 'The block wins: the entry allows nothing.' }],
  [
    'CS020',
    { level: 'warning', title: 'a threshold is never reached', why: 'An earlier pattern covers the tool, and the first one wins.' },
  ],
  [
    'CS021',
    { level: 'warning', title: 'a tool is both allowed and blocked', why: 'The block wins, so the other entry misleads. Take one away.' },
  ],
  [
    'CS022',
    { level: 'warning', title: 'only near-certain risk is refused', why: 'A `block` above 0.900 lets most attacks pass with a flag.' },
  ],
  [
    'CS030',
    { level: 'note', title: 'a rule that nobody has is named', why: 'Packs come and go; a misspelled id changes nothing, silently.' },
  ],
  [
    'CS040',
    { level: 'note', title: 'the document does not say its version', why: 'What a reader of a later format understands may differ.' },
  ],
  [
    'CS050',
    {
      level: 'warning',
      title: 'the machine itself permits more',
      why: 'An agent can bring such a transition about. Let a person approve it.',
    },
  ],
  [
    'CS060',
    { level: 'warning', title: 'an origin profile is never chosen', why: 'Another one matches whatever it matches, and goes before it.' },
  ],
  ['CS061', { level: 'note', title: 'an origin profile matches every place', why: '`default_behavior` never speaks then.' }],
  [
    'CS062',
    {
      level: 'warning',
      title: 'a session may go on in any other place',
      why: 'What it learned here can be said anywhere. Name the targets, or ask for an approval.',
    },
  ],
  [
    'CS063',
    {
      level: 'warning',
      title: 'a brokered provider refuses every call',
      why: 'Nobody can say yes here: what would have to be asked is refused.',
    },
  ],
  [
    'CS070',
    {
      level: 'warning',
      title: 'a guard waits longer than a decision may take',
      why: 'A decision ends in a refusal after ten seconds, whatever a guard still waits for. Give its server less time than that.',
    },
  ],
];

/** Every code, in the order of the specification. */
export const LINT_CODES: ReadonlyMap<string, LintCode> = new Map(TABLE);
