import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { base64, createSigner, ed25519NoteKeyHash, openNote, parseNoteVerifierKey, noteVerifierKey, signNote } from '@countersign/crypto';
import { describe, expect, it } from 'vitest';

const folder = fileURLToPath(new URL('../../../test/interop/go', import.meta.url));
/** Go and the module it needs: absent, or a module proxy out of reach, is a reason to skip and not a failure of ours. */
const built = spawnSync('go', ['build', '-o', '/dev/null', './note'], { cwd: folder, encoding: 'utf8' });
const reason = built.error === undefined ? built.stderr.trim().split('\n').at(-1) : 'go is not installed';

describe(`golang.org/x/mod/sumdb/note${built.status === 0 ? '' : ` (skipped: ${reason})`}`, () => {
  it.skipIf(built.status !== 0)('opens what we sign, refuses what we refuse, and signs the same bytes', () => {
    const name = 'example.com/countersign';
    const seed = new Uint8Array(32).map((_, i) => i * 7);
    const signer = createSigner(seed);
    const text = 'example.com/countersign\n42\nz\u00fcrich \u{1F600}\n\nlast line\n';
    const note = signNote(text, { name, signer });
    const notes = [
      note,
      note.replace('42', '43'),
      note.replace('\u2014', '-'),
      `${note}\u2014 other AAAAAAA=\n`,
      note.slice(0, -1),
      note + note.slice(text.length + 1),
    ];
    const hash = ed25519NoteKeyHash(name, signer.publicKey).toString(16).padStart(8, '0');
    const vkey = noteVerifierKey(name, signer.publicKey);
    const skey = `PRIVATE+KEY+${name}+${hash}+${base64(Uint8Array.of(1, ...seed))}`;
    const run = spawnSync('go', ['run', './note'], { cwd: folder, encoding: 'utf8', input: JSON.stringify({ vkey, notes, skey, text }) });
    expect(run.stderr).toBe('');
    const answer = JSON.parse(run.stdout) as { opened: boolean[]; texts: string[]; signed: string };
    const key = parseNoteVerifierKey(vkey);
    const ours = notes.map((each) => openNote(each, key.ok ? [key.value] : []));
    expect(answer.opened).toEqual([true, false, false, true, false, true]);
    expect(ours.map((opened) => opened.ok)).toEqual(answer.opened);
    expect(ours.map((opened) => (opened.ok ? opened.value.text : ''))).toEqual(answer.texts);
    expect(answer.signed).toBe(note);
  });
});
