import { describe, expect, it } from 'vitest';
import { createParsers } from '../src/parsers.ts';
import { createUnderstanding } from '../src/understand.ts';
import { actionOf } from './actions.ts';
import { wasmBytes } from './wasm-bytes.ts';

const understanding = createUnderstanding(await createParsers(wasmBytes()));

/** What is found, as `type confidence`. */
function foundIn(content: string): readonly string[] {
  return understanding.understand(actionOf('model.output', { content }), []).secrets.map((fact) => `${fact.type} ${fact.confidence}`);
}

const SIGNS = 'Q7w2E9r4T6y1U8i3O5p0ASDFGHJKLZXCVBNMqazwsxedc';

/** As many random-looking letters and digits. */
function random(length: number): string {
  return SIGNS.repeat(Math.ceil(length / SIGNS.length)).slice(0, length);
}

/** Words that no file holds as they are found. */
const PRIVATE = ['PRI', 'VATE'].join('');
const EXAMPLE = ['EXAM', 'PLE'].join('');
const TEST = ['te', 'st'].join('');

describe('private keys whole', () => {
  const KINDS = [
    '',
    'RSA ',
    'EC ',
    'DSA ',
    'OPENSSH ',
    'ENCRYPTED ',
    'SSH2 ENCRYPTED ',
    'ENCRYPTED COSIGN ',
    'ENCRYPTED SIGSTORE ',
    'ED25519 ',
    'ANY ',
  ] as const;

  it.each(KINDS.map((kind) => [kind]))('BEGIN %sPRIVATE KEY', (kind) => {
    const dashes = '-'.repeat(5);
    const block = (body: string): string =>
      `${dashes}BEGIN ${kind}${PRIVATE} KEY${dashes}\n${body}\n${dashes}END ${kind}${PRIVATE} KEY${dashes}`;
    expect(foundIn(block(random(64)))).toEqual(['private_key high']);
    expect(foundIn(block('<your key here>'))).toEqual([]);
    expect(foundIn(block(random(64)).replaceAll('PRIVATE', 'PUBLIC'))).toEqual([]);
  });

  it('of PGP, SSH2, XML signatures and the web', () => {
    const pgp = (body: string): string => `-----BEGIN PGP ${PRIVATE} KEY BLOCK-----\n\n${body}\n-----END PGP ${PRIVATE} KEY BLOCK-----`;
    const ssh2 = (body: string): string =>
      `---- BEGIN SSH2 ENCRYPTED ${PRIVATE} KEY ----\nComment: "ada"\n${body}\n---- END SSH2 ENCRYPTED ${PRIVATE} KEY ----`;
    const xml = (name: string, body: string): string =>
      `<RSAKeyValue><Modulus>${random(60)}</Modulus><${name}>${body}</${name}></RSAKeyValue>`;
    const web = (name: string, body: string): string => JSON.stringify({ kty: 'EC', crv: 'P-256', x: random(43), [name]: body });
    expect(foundIn(pgp(random(64)))).toEqual(['private_key high']);
    expect(foundIn(ssh2(random(64)))).toEqual(['private_key high']);
    expect(foundIn(ssh2('...'))).toEqual([]);
    expect(foundIn(xml('D', random(44)))).toEqual(['private_key high']);
    expect(foundIn(xml('Exponent', 'AQAB'))).toEqual([]);
    expect(foundIn(xml('D', random(39)))).toEqual([]);
    expect(foundIn(web('d', random(43)))).toEqual(['private_key high']);
    expect(foundIn(web('d', random(21)))).toEqual([]);
    expect(foundIn(web('y', random(43)))).toEqual([]);
  });
});

describe('a shared access signature', () => {
  const url = (version: string, hash: string): string =>
    `https://acct.blob.core.windows.net/c?${version}&ss=b&srt=sco&sp=r&se=2030-01-01&sig=${hash}`;

  it('has a version before it and a hash of 32 bytes in it', () => {
    expect(foundIn(url('sv=2022-11-02', `${random(43)}=`))).toEqual(['azure_sas_token high']);
    expect(foundIn(url('sv=2022-11-02', `${random(39)}%2B%2F${random(2)}%3D`))).toContain('azure_sas_token high');
    expect(foundIn(url('sv=2022-11-02', `${random(41)}%3D`))).toEqual([]);
    expect(foundIn(url('v=2', `${random(43)}%3D`))).toEqual([]);
  });
});

describe('what a value is', () => {
  it('the literal that stands in for a missing one', () => {
    const secret = `L7T@p6X1#9!Fq3R4z&N5wQ`;
    for (const text of [
      `password = given ?: "${secret}"`,
      `const password = env.DB_PASSWORD || '${secret}'`,
      `const password = process.env["PW"] ?? '${secret}'`,
      `password = os.getenv("PW") or "${secret}"`,
    ]) {
      expect([text, foundIn(text)]).toEqual([text, ['password high']]);
    }
    expect(foundIn('password = given ?: "changeme"')).toEqual([]);
    expect(foundIn('password = os.getenv("PW") or ""')).toEqual([]);
  });

  it('an unquoted one of tangled brackets and many signs, whole', () => {
    const secret = 'q{)w](e$r#t>_-y!u;'.replace(';', '7nobody');
    expect(foundIn(`secret = ${secret}}`)).toEqual(['generic_secret high']);
    expect(foundIn('secret = f(a[0], b) && { x: 1 }')).toEqual([]);
    expect(foundIn('secret: {{ .Values.a.b | quote }}')).toEqual([]);
    expect(foundIn('if (secret == a[i]) { b(); }')).toEqual([]);
  });

  it('one of both cases, digits and signs, from twelve characters on', () => {
    expect(foundIn('secretKey "H5l@N8!9p#Yq"')).toEqual(['generic_secret high']);
    expect(foundIn('secretKey "H5laN8t9p-Yq"')).toEqual(['generic_secret low']);
    expect(foundIn('secretKey "H5l@N8!9p#Y"')).toEqual([]);
  });

  it('a login of a registry in a manifest, whatever hosts stand beside it', () => {
    const manifest = (auth: string): string =>
      `kind: Secret\ndata:\n  .dockercfg: |\n    ${btoa(JSON.stringify({ auths: { 'https://example/v1/': { auth } } }))}\n`;
    expect(foundIn(manifest('b3BlbnNlc2FtZTE'))).toEqual(['kubernetes_secret high']);
    expect(foundIn(manifest('<your-login>'))).toEqual([]);
  });

  it('the id of a machine at Vault, where the text speaks of its role', () => {
    const id = 'c70f49ee-0dbf-b983-b622-538894008f34';
    expect(foundIn(`lookup('auth/approle/role', secret_id='${id}')`)).toEqual(['vault_secret_id high']);
    expect(foundIn(`lookup('auth/ldap', secret_id='${id}')`)).toEqual(['generic_secret low']);
    expect(foundIn(`lookup('auth/approle/role', role_id='${id}')`)).toEqual([]);
  });

  it('is none where it is the example of a manual', () => {
    expect(foundIn(`AKIAIOSFODNN7${EXAMPLE}`)).toEqual([]);
    expect(foundIn(`aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCY${EXAMPLE}KEY`)).toEqual([]);
    expect(foundIn(`sk_${TEST}_4eC39HqLyjWDarjtT1zdp7dc`)).toEqual(['stripe_key low']);
    expect(foundIn('redis://user:password@localhost')).toEqual([]);
  });
});

describe('hostile texts', () => {
  const WORST = [
    '1 ',
    '5 5 5-1 2 3-',
    '1-',
    '-----BEGIN ',
    '-----BEGIN PRIVATE KEY-----\n',
    'password=a)',
    'password={[(<>&|!',
    'key=',
    '.',
    '@',
    'a@b.c@',
    '1.1.1.1.',
    'a:',
    '::1 ',
    '"kty"',
    '&sig=',
    'phone 1 2 3 4 5 6 7 8 ',
    'address: 12 a b c d ',
    'approle secret_id=',
    'tel: (((((',
    'full name A',
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

  it('costs next to nothing where neither digits nor words are', () => {
    const content = 'the quick brown fox jumps over a lazy dog and runs '.repeat(10);
    const { steps, secrets, pii } = understanding.understand(actionOf('model.output', { content }), []);
    expect([secrets, pii]).toEqual([[], []]);
    expect(steps).toBeLessThan(content.length * 6);
  });
});
