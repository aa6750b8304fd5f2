/** @module Results: one part that opens for each file, and one for each session. What an entry says is built when it is first opened. */
import type { CheckedFile, CheckedList, CheckedSession } from './check-files.ts';
import { badge, checkList, firstFault } from './check-view.ts';
import { element, quoted } from './element.ts';
import { entryView, subjectView } from './entry-view.ts';
import { PAGE_LIMITS } from './limits.ts';
import { visible } from './visible-text.ts';

function subjectLine({ subject = {} }: CheckedFile): string {
  const { type, seq, session, log, oldSize, newSize } = subject;
  if (session !== undefined) return `${visible(String(type))}, number ${seq} of session ${visible(String(session))}`;
  return oldSize === undefined ? '' : `from ${oldSize} to ${newSize} entries of the log ${visible(String(log))}`;
}

function reasonLine(file: CheckedFile): string {
  return file.refused?.sentence ?? firstFault(file.checks);
}

function fileView(file: CheckedFile, open: boolean): HTMLElement {
  const { name, ok, checks, subject, refused } = file;
  const line = subjectLine(file);
  const head = element('summary', { class: 'result-head' }, [
    badge(ok),
    element('span', { class: 'result-name' }, [quoted(visible(name, PAGE_LIMITS.nameCharsMax))]),
    line === '' ? undefined : element('span', { class: 'result-line dim' }, [quoted(line)]),
    ok ? undefined : element('span', { class: 'result-line fault' }, [reasonLine(file)]),
  ]);
  const inner = element('div', { class: 'result-body' }, [
    checks.length === 0 ? undefined : checkList(checks),
    subject === undefined ? undefined : subjectView(subject),
  ]);
  const data = { ok: String(ok), name, ...(refused === undefined ? {} : { refused: refused.code }) };
  const view = element('details', { class: 'result', data, set: open ? { open: '' } : {} }, [head, inner]);
  let isBuilt = false;
  const build = (): void => {
    const bundle = isBuilt ? undefined : file.bundle();
    isBuilt = true;
    if (bundle !== undefined) inner.append(entryView(bundle, ok));
  };
  if (open) build();
  view.addEventListener('toggle', build);
  return view;
}

function sessionView(session: CheckedSession): HTMLElement {
  const data = { session: session.session, ok: String(session.ok), end: session.end, entries: String(session.entries) };
  const end = session.end === 'closed' ? 'It is closed: nothing may follow.' : 'It is open: nothing says that it has not gone on.';
  return element('section', { class: 'session', data, set: { 'aria-label': 'A session' } }, [
    element('p', { class: 'session-head' }, [
      badge(session.ok, ['WHOLE SESSION', 'NOT A WHOLE SESSION']),
      element('span', { class: 'result-name' }, ['session ', quoted(visible(session.session))]),
      element('span', { class: 'result-line dim' }, [
        `${session.entries} of its entries are here, in the log `,
        quoted(visible(session.log)),
      ]),
      session.ok ? element('span', { class: 'result-line dim' }, [end]) : undefined,
    ]),
    checkList(session.checks),
  ]);
}

/** One sentence over all results. */
export function headline({ files, sessions }: CheckedList): string {
  const good = files.filter(({ ok }) => ok).length;
  const broken = sessions.filter(({ ok }) => !ok).length;
  const one = files.length === 1;
  if (good === files.length && broken === 0) return one ? 'The file is verified.' : `All ${files.length} files are verified.`;
  const count = one ? 'The file is not verified.' : `${good} of ${files.length} files are verified, ${files.length - good} are not.`;
  const chains = broken === 0 ? '' : ` ${broken === 1 ? 'One session is' : `${broken} sessions are`} not whole.`;
  return (good === files.length ? `All ${files.length} files are verified.` : count) + chains;
}

/** All results, sessions first. One file alone is open; of many those at the places in `open`. */
export function resultViews({ files, sessions }: CheckedList, open: ReadonlySet<number>): readonly HTMLElement[] {
  return [...sessions.map(sessionView), ...files.map((file, at) => fileView(file, files.length === 1 || open.has(at)))];
}
