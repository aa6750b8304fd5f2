/**
 * @module The page: boxes for keys, a place for files, results. It verifies again whenever a key or a file changes, keeps nothing, and
 * asks nobody: there is no request in this script, and its policy allows none.
 */
import { checkFiles, type CheckedList } from './check-files.ts';
import { byId } from './element.ts';
import { type HeldFile, pastedFile, readFiles, tooMany } from './intake.ts';
import { type KeyBox, readKeys } from './keys.ts';
import { type Questions, readNow, readQuorum } from './questions.ts';
import { headline, resultViews } from './result-view.ts';

/** After the last key stroke in a box. */
const SETTLE_MS = 200;

const parts = {
  status: byId('p', 'status'),
  problem: byId('p', 'problem'),
  results: byId('div', 'results'),
  empty: byId('div', 'empty'),
  picker: byId('input', 'picker'),
  drop: byId('div', 'drop'),
  paste: byId('textarea', 'paste'),
  clear: byId('button', 'clear'),
  onlyFaults: byId('input', 'only-faults'),
  tools: byId('div', 'tools'),
  boxes: { log: byId('textarea', 'log-keys'), receipt: byId('textarea', 'receipt-keys'), witness: byId('textarea', 'witness-keys') },
  quorum: byId('input', 'quorum'),
  quorumNote: byId('p', 'quorum-note'),
  seen: byId('textarea', 'seen'),
  now: byId('input', 'now'),
  nowNote: byId('p', 'now-note'),
  complaints: { log: byId('p', 'log-keys-note'), receipt: byId('p', 'receipt-keys-note'), witness: byId('p', 'witness-keys-note') },
};

let held: readonly HeldFile[] = [];
let pastedCount = 0;
/** Runs out when no key was changed for a moment. */
let settling: ReturnType<typeof setTimeout> | undefined;
/** Grows with every change; work for an older one stops. */
let generation = 0;

function show(state: 'empty' | 'working' | 'done', text: string): void {
  document.body.dataset['state'] = state;
  parts.status.textContent = text;
  parts.results.setAttribute('aria-busy', String(state === 'working'));
}

function complain(text: string): void {
  parts.problem.textContent = text;
}

/** Lets the browser paint and take input. */
function pause(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 0);
  });
}

/** Says beside a box what is wrong in it, or that nothing is. */
function mark(box: HTMLElement, note: HTMLElement, complaint: string | undefined): void {
  note.textContent = complaint ?? '';
  if (complaint === undefined) box.removeAttribute('aria-invalid');
  else box.setAttribute('aria-invalid', 'true');
}

function keysOf(box: KeyBox): readonly string[] {
  const { keys, complaint } = readKeys(box, parts.boxes[box].value);
  mark(parts.boxes[box], parts.complaints[box], complaint);
  return keys;
}

function readQuestions(): Questions {
  const witnessKeys = keysOf('witness');
  const { quorum, complaint } = readQuorum(parts.quorum.value, witnessKeys.length);
  mark(parts.quorum, parts.quorumNote, complaint);
  const { now, complaint: timeComplaint } = readNow(parts.now.value);
  mark(parts.now, parts.nowNote, timeComplaint);
  const keys = { vkeys: keysOf('log'), receiptKeys: keysOf('receipt'), witnessKeys };
  const seen = parts.seen.value;
  return {
    trust: quorum === undefined ? keys : { ...keys, quorum },
    ...(seen.trim() === '' ? {} : { seen }),
    ...(now === undefined ? {} : { now }),
  };
}

/** Places of the results that the reader has opened: they stay open when the list is checked again. */
function openPlaces(): ReadonlySet<number> {
  const results = [...parts.results.querySelectorAll<HTMLDetailsElement>('.result')];
  return new Set(results.flatMap((result, at) => (result.open ? [at] : [])));
}

function render(list: CheckedList): void {
  // Whoever stands on a result with the keyboard still stands there when the list is checked again.
  const focused = [...parts.results.querySelectorAll('.result')].findIndex((result) => result.contains(document.activeElement));
  parts.results.replaceChildren(...resultViews(list, openPlaces()));
  if (focused >= 0) parts.results.querySelectorAll<HTMLElement>('.result-head')[focused]?.focus();
  show('done', headline(list));
}

async function verifyAll(): Promise<void> {
  generation += 1;
  const mine = generation;
  const questions = readQuestions();
  const isEmpty = held.length === 0;
  parts.empty.hidden = !isEmpty;
  parts.tools.hidden = isEmpty;
  if (isEmpty) {
    parts.results.replaceChildren();
    show('empty', 'No file yet.');
    return;
  }
  const total = held.length;
  show('working', `Checking ${total === 1 ? 'the file' : `${total} files`}…`);
  await pause();
  const list = await checkFiles(held, questions, async (done) => {
    if (mine === generation) show('working', `Checking: ${done} of ${total} done…`);
    await pause();
    return mine === generation;
  });
  if (list !== undefined && mine === generation) render(list);
}

/** Something failed that should not: say so, and claim nothing. */
function verifyAgain(): void {
  clearTimeout(settling);
  verifyAll().catch(() => {
    parts.results.replaceChildren();
    show('done', 'Nothing is verified.');
    complain('The page failed while checking. This is a fault of the page: use `countersign verify`, and tell us.');
  });
}

/** Counted again here: while these were read, others may have come. */
function hold(more: readonly HeldFile[]): void {
  const wrong = tooMany(
    held,
    more.map(({ bytes }) => ({ size: bytes?.length ?? 0 })),
  );
  complain(wrong ?? '');
  if (wrong === undefined) held = [...held, ...more];
  verifyAgain();
}

function take(files: readonly File[]): void {
  const wrong = tooMany(held, files);
  complain(wrong ?? '');
  if (wrong !== undefined || files.length === 0) return;
  generation += 1;
  clearTimeout(settling);
  show('working', `Reading ${files.length === 1 ? 'the file' : `${files.length} files`}…`);
  // A file that cannot be read is one of the results, so that this ends well.
  void readFiles(files).then(hold);
}

function takeText(text: string): void {
  if (text === '') return;
  pastedCount += 1;
  hold([pastedFile(text, pastedCount)]);
}

function isTextBox(target: EventTarget | null): boolean {
  return target instanceof HTMLTextAreaElement;
}

function listenForFiles(): void {
  parts.picker.addEventListener('change', () => {
    take([...(parts.picker.files ?? [])]);
    parts.picker.value = '';
  });
  parts.paste.addEventListener('input', () => {
    const text = parts.paste.value;
    parts.paste.value = '';
    takeText(text);
  });
  document.addEventListener('paste', (event) => {
    const { clipboardData } = event;
    const files = [...(clipboardData?.files ?? [])];
    if (files.length > 0) take(files);
    else if (!isTextBox(event.target)) takeText(clipboardData?.getData('text/plain') ?? '');
  });
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    parts.drop.dataset['over'] = 'true';
  });
  document.addEventListener('dragleave', () => {
    delete parts.drop.dataset['over'];
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    delete parts.drop.dataset['over'];
    take([...(event.dataTransfer?.files ?? [])]);
  });
}

function listenForKeys(): void {
  for (const box of [...Object.values(parts.boxes), parts.quorum, parts.seen, parts.now]) {
    box.addEventListener('input', () => {
      // What is shown was true for other keys.
      generation += 1;
      if (held.length > 0) show('working', 'Checking again…');
      clearTimeout(settling);
      settling = setTimeout(verifyAgain, SETTLE_MS);
    });
  }
}

function start(): void {
  listenForFiles();
  listenForKeys();
  parts.clear.addEventListener('click', () => {
    held = [];
    pastedCount = 0;
    complain('');
    verifyAgain();
    parts.picker.focus();
  });
  parts.onlyFaults.addEventListener('change', () => {
    parts.results.classList.toggle('only-faults', parts.onlyFaults.checked);
  });
  byId('p', 'served').hidden = location.protocol === 'file:';
  verifyAgain();
}

start();
