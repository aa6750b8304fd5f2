import type { SecretFact } from '@countersign/protocol';
import { describe, expect, it } from 'vitest';
import { createParsers } from '../src/parsers.ts';
import { PROVIDER_ROWS } from '../src/provider-keys.ts';
import { crc32, decodedBase64, hasGithubChecksum } from '../src/secret-checks.ts';
import { SECRET_FORMAT_ROWS } from '../src/secret-format-rows.ts';
import { SECRET_FORMATS, type SecretFormat } from '../src/secret-formats.ts';
import { createUnderstanding } from '../src/understand.ts';
import { actionOf } from './actions.ts';
import { wasmBytes } from './wasm-bytes.ts';

const understanding = createUnderstanding(await createParsers(wasmBytes()));

function secretsIn(content: string): readonly SecretFact[] {
  return understanding.understand(actionOf('model.output', { content }), []).secrets;
}

function typesIn(content: string): readonly string[] {
  return secretsIn(content).map((fact) => fact.type);
}

const SIGNS = {
  d: '8305719264',
  x: '0a1b2c3d4e5f60718293',
  X: '0A1B2C3D4E5F60718293',
  l: 'q7w2e9r4t6y1u8i3o5p0asdfghjklzxcvbnm',
  U: 'Q7W2E9R4T6Y1U8I3O5P0ASDFGHJKLZXCVBNM',
  a: 'Q7w2E9r4T6y1U8i3O5p0ASDFGHJKLZXCVBNM',
} as const;
const PART = /^([dxXlUa])(\d+)$/;

/** `a8 _ d4`: eight letters and digits, an underscore, four digits. What is no such part stands for itself. */
function made(template: string): string {
  return template
    .split(' ')
    .map((part) => {
      const [, kind, count] = PART.exec(part) ?? [];
      if (kind === undefined) return part;
      const signs = SIGNS[kind as keyof typeof SIGNS];
      const length = Number(count);
      return signs.repeat(Math.ceil(length / signs.length)).slice(0, length);
    })
    .join('');
}

describe('formats by prefix', () => {
  const plain = SECRET_FORMATS.filter((format) => format.shape === undefined || format.type === 'slack_token');
  const LEADS: Readonly<Record<string, string>> = {
    telegram_token: 'd9',
    terraform_token: 'a14',
    azure_client_secret: 'a3',
  };

  function tokenOf(format: SecretFormat, length: number): string {
    const upper = (format.alphabet & 8) !== 0;
    const lower = (format.alphabet & 4) !== 0;
    const kind = upper && lower ? 'a' : upper ? 'U' : lower ? 'l' : 'x';
    return `${made(LEADS[format.type] ?? '')}${format.prefix}${made(`${kind}${length}`)}`;
  }

  it('are found at their shortest and longest length, and by their prefix not beyond them', () => {
    for (const format of plain) {
      const typesAt = (length: number): readonly string[] => typesIn(tokenOf(format, length));
      expect([format.prefix, typesAt(format.lengthMin)]).toEqual([format.prefix, expect.arrayContaining([format.type])]);
      expect([format.prefix, typesAt(format.lengthMax)]).toEqual([format.prefix, expect.arrayContaining([format.type])]);
      const own = SECRET_FORMATS.filter((other) => other.type === format.type && other.prefix.startsWith(format.prefix)).length;
      const shorter = SECRET_FORMATS.filter((other) => other.type === format.type && format.prefix.startsWith(other.prefix)).length;
      if (own > 1 || shorter > 1 || format.prefix.startsWith('xoxe.')) continue;
      expect([format.prefix, typesAt(format.lengthMin - 1)]).not.toEqual([format.prefix, expect.arrayContaining([format.type])]);
      expect([format.prefix, typesAt(format.lengthMax + 1)]).not.toEqual([format.prefix, expect.arrayContaining([format.type])]);
    }
  });

  it('are as many as the rows say, of more than two hundred', () => {
    expect(SECRET_FORMAT_ROWS.length + PROVIDER_ROWS.length).toBeGreaterThanOrEqual(200);
    expect(
      new Set([...SECRET_FORMATS.map((format) => format.type), ...PROVIDER_ROWS.map((row) => row.split(/[ +]/)[0])]).size,
    ).toBeGreaterThanOrEqual(180);
  });

  it('keep out what repeats itself and what is written out as a placeholder', () => {
    for (const format of plain) {
      const token = `${made(LEADS[format.type] ?? '')}${format.prefix}`;
      expect([format.prefix, typesIn(`${token}${'a'.repeat(format.lengthMin)}`)]).toEqual([format.prefix, []]);
    }
  });

  it('must not go on from a word', () => {
    expect(typesIn(`npm_${made('a36')}`)).toEqual(['npm_token']);
    expect(typesIn(`xnpm_${made('a36')}`)).toEqual([]);
    expect(typesIn(`box.ico-${made('a32')}`)).toEqual([]);
    expect(typesIn(`box ico-${made('a32')}`)).toEqual(['infracost_key']);
  });

  it('are known and harmless where they are keys for tests', () => {
    const confidences = (text: string): readonly string[] => secretsIn(text).map((fact) => fact.confidence);
    expect(confidences(`sk_live_${made('a24')}`)).toEqual(['high']);
    expect(confidences(`sk_test_${made('a24')}`)).toEqual(['low']);
    expect(confidences(`shippo_test_${made('x40')}`)).toEqual(['low']);
  });

  /** Type, a token, and near misses of its shape. */
  const SHAPED: readonly (readonly [type: string, token: string, ...misses: readonly string[]])[] = [
    ['aws_access_key', 'AKI A Q3EGRIQX2JDWTOL7', 'AKI A Q3EGRIQX2JDWTOL1', 'AKI A Q3EGRIQX2JDWTOL'],
    ['sendgrid_key', 'SG. a22 . a43', 'SG. a43 . a22', 'SG. a66'],
    ['slack_webhook', 'https://hooks.slack.com/services/T a8 /B a8 / a24', 'https://hooks.slack.com/services/T a44'],
    ['discord_webhook', 'https://discord.com/api/webhooks/ d18 / a68', 'https://discord.com/api/webhooks/ l18 / a68'],
    ['dynatrace_token', 'dt0c01. U24 . U64', 'dt0c01. U64 . U24'],
    ['postman_key', 'PMAK- x24 - x34', 'PMAK- x34 - x24'],
    ['newrelic_key', 'NRAK- a27', 'NRAK- a10 - a16'],
    ['launchdarkly_key', 'sdk- x8 - x4 - x4 - x4 - x12', 'sdk- x12 - x4 - x4 - x4 - x8'],
    ['octopus_key', 'API- U28', 'API- X32'],
    ['asana_token', '1/1 d15 : x32', '1/1 l15 : x32'],
    ['slack_token', 'xoxb- d12 - d12 - a24', 'xoxb-not-a-token-but-a-long-sentence'],
    ['gitlab_token', 'glpat- a20', 'glpat-nothing-here-but-words'],
    ['airtable_token', 'pat a14 . x64', 'pat a13 . x65', 'pat a14 . l64'],
    ['onepassword_key', 'A3- U6 - U11 - U5 - U5 - U5', 'A3- U6 - U10 - U6 - U5 - U5'],
    ['infisical_token', 'st. x24 . x32 . x32', 'st. l24 . l32 . l32'],
    ['harness_token', 'pat. a22 . x24 . a20', 'pat. a22 . a24 . x20'],
    ['snyk_token', 'snyk_uat. x8 . a30 . a40', 'snyk_uat. a40 . a30 . x8'],
    ['clickup_token', 'pk_ d8 _ U32', 'pk_ l8 _ U32'],
    ['tines_webhook', 'https://goofy-cat.tines.com/webhook/ x32 / x32', 'https://goofy-cat.tines.com/webhook/ l32 / l32'],
    ['zapier_webhook', 'https://hooks.zapier.com/hooks/catch/ d7 / l7', 'https://hooks.zapier.com/hooks/catch/ l7 / d7'],
    ['resend_key', 're_ a8 _ a24', 're_ a24 _ a8'],
    ['telnyx_key', 'KEY0 1 X32 _ a22', 'KEY0 2 X32 _ a22'],
    ['defined_networking_key', 'dnkey- a26 - a52', 'dnkey- a20 - a20 : a30'],
    ['sidekiq_credentials', 'BUNDLE_GEMS__CONTRIBSYS__COM= x8 : b90f20b9', 'BUNDLE_GEMS__CONTRIBSYS__COM= x9 : b90f20b'],
    ['vercel_blob_token', 'vercel_blob_rw_ a16 _ a30', 'vercel_blob_rw_ a46'],
    ['fireworks_key', 'fw_ a24', 'fw_ l24'],
    ['posthog_key', 'phx_ a43', 'phx_ qwertyuiopasdfghjklzxcvbnmQWERTYUIOPASDFGH'],
    ['litellm_key', 'sk- a22', 'sk- l22'],
    ['facebook_token', 'EAA a120', 'EAA U120'],
    ['azure_client_secret', 'abc7Q~ a34', 'ab 7Q~ a34'],
    ['telegram_token', 'd9 :AA a33', 'd7 :AA a33', 'd11 :AA a33'],
    ['terraform_token', 'a14 .atlasv1. a70', 'a13 .atlasv1. a70'],
    ['cockroach_key', 'CCDB1_ a22 _ a40', 'CCDB1_ a40 _ a22'],
    ['modal_token', 'ak- a22', 'ak- l22'],
    ['zuplo_key', 'zpka_ l32 _ x8', 'zpka_ qwertyuiopasdfghjklzxcvbnmqwertyuiopas'],
    ['mailchimp_key', 'x32 -us12', 'x31 -us12', 'x32 -usa'],
    ['aws_bedrock_key', 'ABSK a120', 'ABSK a99'],
    ['jwt', 'eyJhbGciOiJIUzI1NiJ9 .eyJzdWIiOiJhbm4ifQ. a43', 'eyJub3QiOiJhIGhlYWRlciJ9 .eyJzdWIiOiJhbm4ifQ. a43'],
  ];

  it.each(SHAPED)('%s has its shape', (type, token, ...misses) => {
    expect(typesIn(`use ${made(token)} now`)).toContain(type);
    for (const miss of misses) expect([miss, typesIn(`use ${made(miss)} now`)]).toEqual([miss, expect.not.arrayContaining([type])]);
  });

  it('has an example of every shape', () => {
    const shaped = new Set(SECRET_FORMATS.filter((format) => format.shape !== undefined).map((format) => format.type));
    const shown = new Set(SHAPED.map(([type]) => type));
    expect([...shaped].filter((type) => !shown.has(type) && type !== 'maxmind_key')).toEqual([]);
  });
});

describe('tokens that prove themselves', () => {
  const confidence = (text: string): string | undefined => secretsIn(text)[0]?.confidence;

  it('computes CRC-32', () => {
    expect(crc32('123456789')).toBe(0xcb_f4_39_26);
    expect(crc32('')).toBe(0);
  });

  it('GitHub: the last six characters are the checksum of the first thirty', () => {
    const body = made('a30');
    const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
    let rest = crc32(body);
    let sum = '';
    while (sum.length < 6) {
      sum = alphabet.charAt(rest % 62) + sum;
      rest = Math.floor(rest / 62);
    }
    expect(hasGithubChecksum(body + sum)).toBe(true);
    expect(hasGithubChecksum(`${body.slice(1)}0${sum}`)).toBe(false);
    expect(confidence(`ghp_${body}${sum}`)).toBe('high');
    expect(confidence(`ghp_${body.slice(0, 29)}0${sum}`)).toBe('low');
    expect(confidence(`ghs_${body}${sum}`)).toBe('high');
  });

  it('decodes base64 of both alphabets and nothing else', () => {
    expect(decodedBase64('aGk/Pz8+')).toBe('hi???>');
    expect(decodedBase64('aGk_Pz8-')).toBe('hi???>');
    expect(decodedBase64('aG k=')).toBe('');
  });

  it.each([
    [
      '1Password',
      `ops_eyJ${btoa('{"signInAddress":"my.example.org"}').slice(3).replaceAll('=', '')}${made('a240')}`,
      `ops_eyJ${made('a300')}`,
    ],
    ['Intercom', `dG9rO${btoa('tok:ada12345').slice(5).replaceAll('=', '')}${made('a40')}`, `dG9rO${made('a52')}`],
    ['Sentry', `sntrys_${btoa('{"iat":1687336543.633931,"url":null}').replaceAll('=', '')}${made('a43')}`, `sntrys_eyJ${made('a70')}`],
    [
      'Mapbox',
      `sk.eyJ${btoa('{"u":"ada","a":"ck"}').slice(3).replaceAll('=', '')}${made('a60')}.${made('a22')}`,
      `sk.eyJ${made('a70')}.${made('a22')}`,
    ],
  ])('%s', (_name, good, bad) => {
    expect(confidence(good)).toBe('high');
    expect(confidence(bad)).toBe('low');
  });

  it('a sample token of a manual is known as one', () => {
    const sample = `${btoa('{"alg":"HS256"}').replaceAll('=', '')}.${btoa('{"sub":"1234567890"}').replaceAll('=', '')}.${made('a43')}`;
    expect(confidence(sample)).toBe('low');
    expect(confidence(sample.replace(/\.[^.]*\./, `.${btoa('{"sub":"ada"}').replaceAll('=', '')}.`))).toBe('high');
  });
});

describe('keys by the name of their provider', () => {
  const KINDS: Readonly<Record<string, string>> = {
    digits: 'd',
    hex: 'x',
    lower: 'l',
    upper: 'U',
    alnum: 'a',
    url: 'a',
    sign: 'a',
    dotted: 'a',
    base64: 'a',
  };
  const SHAPED: Readonly<Record<string, readonly [good: string, bad: string]>> = {
    uuid: ['c70f49ee - 0dbf - b983 - b622 - 538894008f34', 'c70f49e - 0dbff - b983 - b622 - 538894008f34'],
    pair: ['d16 | a27', 'd16 | a26'],
    discordbot: ['M a23 . a6 . a27', 'M a23 . a5 . a28'],
    hexpair: ['d71703e5 : 5874d83e', 'd71703e5 : 5874d83'],
    sumo: ['su a12', 'sa a12'],
    telegram: ['d9 :AA a33', 'd9 :AB a33'],
    tweet: ['d19 - a30', 'l19 - a30'],
  };

  it.each(PROVIDER_ROWS.map((row) => [row]))('%s', (row) => {
    const [type = '', alphabet = '', length = '', ...words] = row.split(' ');
    const [shortest = '', longest = shortest] = length.split('-');
    const kind = KINDS[alphabet];
    const bare = type.replace('+', '');
    const shape = SHAPED[alphabet];
    const good = made(kind === undefined ? (shape?.[0] ?? '') : `${kind}${shortest}`);
    const near =
      kind === undefined ? [made(shape?.[1] ?? '')] : [made(`${kind}${Number(shortest) - 1}`), made(`${kind}${Number(longest) + 1}`)];
    for (const word of words) {
      const name = `${word}_key`;
      expect([word, typesIn(`${name} = "${good}"`)]).toEqual([word, [bare]]);
      for (const miss of near) expect([miss, typesIn(`${name} = "${miss}"`)]).toEqual([miss, expect.not.arrayContaining([bare])]);
      if (type.endsWith('+') && !/key|token|secret|auth|client|login/.test(word)) {
        expect([word, typesIn(`${word}_version = "${good}"`)]).toEqual([word, expect.not.arrayContaining([bare])]);
      }
    }
  });

  it('takes words as they are spelled in code, markup and arguments', () => {
    const value = made('l24');
    for (const text of [
      `etsyToken := \`${value}\``,
      `<etsyToken>\n    ${value}\n</etsyToken>`,
      `set("ETSY_TOKEN", "${value}")`,
      `ETSY_TOKEN ::= ${value}`,
    ]) {
      expect([text, typesIn(text)]).toEqual([text, ['etsy_token']]);
    }
    expect(typesIn(`etsy ${value}`)).toEqual([]);
  });
});

describe('what is random enough to be certain', () => {
  const confidences = (text: string): readonly string[] => secretsIn(text).map((fact) => fact.confidence);

  it.each([
    [`client_secret = "${made('a32')}"`, ['high']],
    [`client_secret = "${made('a17')}"`, ['low']],
    [`session_secret = "${made('x40')}"`, ['high']],
    [`session_secret = "${made('x28')}"`, ['low']],
    [`mock_secret = "${made('a32')}"`, ['low']],
    [`PUBLIC_API_KEY = "${made('a32')}"`, ['low']],
    [`nextPageToken: "${made('a32')}"`, ['low']],
    [`secret = "ENC(${made('a40')})"`, ['low']],
    [`secret: "${btoa(`${made('a32')}changeme`)}"`, ['low']],
    ['secret_id = "c70f49ee-0dbf-b983-b622-538894008f34"', ['low']],
    ['db_password = "Vt9#qLm2x!Rz7"', ['high']],
    ['db_password = "Vt9qLm2x"', ['low']],
    ['https://git:openshift@git.example.org/', ['low']],
    ['postgres://app:app@db.example.org/', ['low']],
    ['postgres://app:Zk3w0pQx@db.example.org/', ['high']],
    ['mysql://root:admin1@db.example.org/', ['low']],
  ])('%s', (text, expected) => {
    expect(confidences(text)).toEqual(expected);
  });
});

describe('hostile texts', () => {
  const WORST: readonly string[] = [
    'glpat-',
    'sk-proj-sk-ant-',
    'snyk_key=',
    'curl -u a:b ',
    'authorization: x ',
    'kind: secret\n',
    'kind: secret\ndata:\n  a: aGVsbG8gd29ybGQ=\n',
    '"type": "service_account"',
    'password is: ',
    '"x" == password',
    'PuTTY-User-Key-File-',
    'passport ',
    'pesel 44051401458 ',
    '1EG4-TE5-',
    'AAAA1234567:AA',
    `glpat-${'glpat-'.repeat(48)} `,
    'token"token"token',
    '<secret>\n',
  ];

  it.each(WORST.map((unit) => [unit]))('counts steps in proportion to the length of %j', (unit) => {
    const stepsPerChar = (length: number): number => {
      const content = unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
      return understanding.understand(actionOf('model.output', { content }), []).steps / length;
    };
    const small = stepsPerChar(65_536);
    expect(small).toBeLessThan(96);
    expect(stepsPerChar(1_048_576)).toBeLessThan(small * 1.1);
  });
});
