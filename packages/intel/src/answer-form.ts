/** @module An answer that has not the form which its source documents: it is none. */
import { CodedError } from '@countersign/kernel';

/** What an adapter throws for it. Quotes nothing. */
export function unknownForm(): CodedError {
  return new CodedError({ code: 'answer_unknown_form', message: 'the outside answered in a form that is not documented' });
}
