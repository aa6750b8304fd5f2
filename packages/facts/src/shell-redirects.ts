/** @module Redirects of one command: where they lead, and what a here-document or here-string feeds. */
import type { Redirect } from '@countersign/protocol';
import type { Folder, Frame, Shell } from './shell-state.ts';
import type { Redirection } from './shell-syntax.ts';

/** Redirects as facts, and the text they feed to standard input where it is known. */
export interface Fed {
  readonly redirects: readonly Redirect[];
  readonly here: string | undefined;
  readonly heredoc: boolean;
}

/** Expands the targets and bodies of redirects. */
export function readRedirects(
  folder: Folder,
  shell: Shell,
  input: { readonly redirects: readonly Redirection[]; readonly frame: Frame },
): Fed {
  const { redirects, frame } = input;
  let here: string | undefined;
  let heredoc = false;
  const facts = redirects.map((redirect): Redirect => {
    const target = folder.expand(shell, redirect.target.parts, frame);
    const body = redirect.body === undefined ? undefined : folder.expand(shell, redirect.body, frame);
    if (body !== undefined) {
      here = body.dynamic && body.unknownEnd === body.text.length ? undefined : body.text;
      heredoc = true;
    } else if (redirect.operator === '<<<') here = target.dynamic ? undefined : `${target.text}\n`;
    return { operator: redirect.operator, target: target.text };
  });
  return { redirects: facts, here, heredoc };
}
