/** Bundles whose checkpoint carries cosignatures, and what can be wrong with them. */
import { createSigner, sha256Hex } from '@countersign/crypto';
import { canonicalize } from '@countersign/kernel';
import { cosignatureLine, cosignerKeyText, type NoteSigner } from '@countersign/log';
import { bad, type BundleVector, edit, good, TRUST } from './vector-forms.ts';

const witness = (n: number): NoteSigner => ({ name: `witness.example/w${n}`, signer: createSigner(new Uint8Array(32).fill(40 + n)) });
const keyOf = ({ name, signer }: NoteSigner): string => cosignerKeyText(name, signer.publicKey);
const [ONE, TWO, THREE] = [witness(1), witness(2), witness(3)];

export interface Cosigned {
  readonly two: string;
  readonly withoutDigest: string;
  readonly otherDigest: string;
  readonly badLine: string;
  readonly otherTime: string;
}

/** With a digest, as an issuer writes it. */
function digested(bundle: string): string {
  return edit(bundle, (members) => {
    const { digest: _, ...rest } = members;
    members['digest'] = sha256Hex(canonicalize(rest));
  });
}

function withLines(bundle: string, lines: (text: string) => readonly string[]): string {
  return edit(bundle, (members) => {
    const note = typeof members['checkpoint'] === 'string' ? members['checkpoint'] : '';
    members['checkpoint'] = note + lines(note.slice(0, note.lastIndexOf('\n\n') + 1)).join('');
  });
}

export function cosignedBundles(bare: string): Cosigned {
  const two = withLines(bare, (text) => [cosignatureLine(text, 1_780_000_000, ONE), cosignatureLine(text, 1_780_000_001, TWO)]);
  const other = withLines(bare, (text) => [cosignatureLine(text.replace('\n304\n', '\n305\n'), 1_780_000_000, ONE)]);
  // The time is signed too: that of another second does not hold.
  const moved = withLines(bare, (text) => {
    const line = cosignatureLine(text, 1_780_000_000, ONE);
    const at = line.lastIndexOf(' ') + 1;
    const bytes = Buffer.from(line.slice(at, -1), 'base64');
    bytes[11] = (bytes[11] ?? 0) ^ 1;
    return [`${line.slice(0, at)}${bytes.toString('base64')}\n`];
  });
  return {
    two: digested(two),
    withoutDigest: two,
    otherDigest: edit(two, (members) => Object.assign(members, { digest: '0'.repeat(64) })),
    badLine: digested(other),
    otherTime: digested(moved),
  };
}

const trusting = (keys: readonly NoteSigner[], quorum?: number): Partial<BundleVector> => ({
  trust: { ...TRUST, witnessKeys: keys.map(keyOf), ...(quorum === undefined ? {} : { quorum }) },
});

export function cosignedValid({ two, badLine }: Cosigned): readonly BundleVector[] {
  return [
    good('cosigned, no witness trusted', [two], ['checkpoint pass checkpoint_ok', 'cosignatures not-checked cosignatures_no_trust']),
    { ...good('cosigned, both witnesses trusted', [two], ['cosignatures pass cosignatures_ok']), ...trusting([ONE, TWO]) },
    { ...good('cosigned, two of three', [two], ['cosignatures pass cosignatures_ok']), ...trusting([ONE, TWO, THREE], 2) },
    good('cosigned with a line by a stranger that does not hold', [badLine], ['checkpoint pass checkpoint_ok']),
  ];
}

export function cosignedInvalid({ two, withoutDigest, otherDigest, badLine, otherTime }: Cosigned): readonly BundleVector[] {
  return [
    bad('cosigned, without a digest', [withoutDigest], ['bundle-form fail bundle_digest_missing']),
    bad('cosigned, another digest', [otherDigest], ['bundle-form fail bundle_digest_bad']),
    { ...bad('cosigned, one of two missing', [two], ['cosignatures fail cosignatures_missing']), ...trusting([ONE, THREE]) },
    { ...bad('cosigned, three of three asked for', [two], ['cosignatures fail cosignatures_missing']), ...trusting([ONE, TWO, THREE], 3) },
    { ...bad('cosigned, a quorum that cannot be', [two], ['cosignatures fail cosignatures_missing']), ...trusting([ONE, TWO], 3) },
    { ...bad('cosigned for another size', [badLine], ['cosignatures fail cosignature_bad']), ...trusting([ONE]) },
    { ...bad('cosigned at another second', [otherTime], ['cosignatures fail cosignature_bad']), ...trusting([ONE]) },
    {
      ...bad('cosigned, the key of a log given as that of a witness', [two], ['cosignatures fail vkey_unknown_type']),
      trust: { ...TRUST, witnessKeys: [...TRUST.vkeys] },
    },
  ];
}
