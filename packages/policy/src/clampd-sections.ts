/**
 * @module The sections `boundaries`, `exemptions` and `protected_entities`: what operators of Clampd set beside its rules. Each is a list;
 * entries are united by name, those of the document before those of what it extends.
 */
import { err, ok, type Result } from '@countersign/kernel';
import { compileBoundary, type CompiledBoundary, fullBoundary } from './boundaries.ts';
import type { ClampdSections, Exemption, WrittenClampd } from './clampd-content.ts';
import { faultAt, type PolicyFault } from './faults.ts';
import type { TransferSigner } from './payments.ts';
import { type CompiledEntity, compileEntity, fullEntity } from './protected-entities.ts';

function united<T>(own: readonly T[] | undefined, base: readonly T[] | undefined, key: (entry: T) => string): readonly T[] | undefined {
  if (own === undefined) return base;
  const names = new Set(own.map(key));
  return [...own, ...(base ?? []).filter((entry) => !names.has(key(entry)))];
}

function part<Name extends keyof ClampdSections>(name: Name, entries: ClampdSections[Name] | undefined): Pick<ClampdSections, Name> {
  return (entries === undefined || entries.length === 0 ? {} : { [name]: entries }) as Pick<ClampdSections, Name>;
}

/** The sections of a document on those of what it extends. */
export function layClampd(written: WrittenClampd, base: ClampdSections): ClampdSections {
  const { boundaries, exemptions, protected_entities: entities } = written;
  return {
    ...part(
      'boundaries',
      united(boundaries?.map(fullBoundary), base.boundaries, ({ name }) => name),
    ),
    ...part(
      'exemptions',
      united(exemptions, base.exemptions, ({ label }) => label),
    ),
    ...part(
      'protected_entities',
      united(entities?.map(fullEntity), base.protected_entities, ({ name }) => name),
    ),
  };
}

export interface CompiledClampd {
  readonly boundaries: readonly CompiledBoundary[];
  readonly exemptions: readonly Exemption[];
  readonly entities: readonly CompiledEntity[];
  /** Absent: no signed transfer is believed. */
  readonly signer?: TransferSigner;
}

/** Undefined where there is none of them. */
export function compileClampd(
  sections: ClampdSections,
  signer: TransferSigner | undefined,
): Result<CompiledClampd | undefined, readonly PolicyFault[]> {
  const boundaries = (sections.boundaries ?? []).map(compileBoundary);
  const entities = (sections.protected_entities ?? []).map(compileEntity);
  const faults = [
    ...boundaries.flatMap((one, i) => (one === undefined ? [`boundaries[${String(i)}]`] : [])),
    ...entities.flatMap((one, i) => (one === undefined ? [`protected_entities[${String(i)}]`] : [])),
  ].map((path) => faultAt('policy_glob', 'a pattern does not compile', { path }));
  if (faults.length > 0) return err(faults);
  const none = boundaries.length === 0 && entities.length === 0 && sections.exemptions === undefined;
  if (none) return ok(undefined);
  return ok({
    boundaries: boundaries.filter((one) => one !== undefined),
    exemptions: sections.exemptions ?? [],
    entities: entities.filter((one) => one !== undefined),
    ...(signer === undefined ? {} : { signer }),
  });
}
