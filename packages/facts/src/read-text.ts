/** @module A text on its way through the readers of facts. */
import type { TextFact } from '@countersign/protocol';
import type { LiteralHits } from './literals.ts';
import type { TextProfile } from './profile.ts';

/** A text with what the other readers want to know of it. */
export interface ReadText {
  readonly fact: TextFact;
  readonly profile: TextProfile;
  /** Words of all readers in it. */
  readonly hits: LiteralHits;
  /** Key of the leaf it came from. */
  readonly key: string;
}
