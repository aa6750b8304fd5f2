/** @module The answers of the operator door about the log and its sessions, read strictly. */
import type { JsonObject } from '@countersign/kernel';
import type { LogKeysView, MovedSegments, SessionEnded, SessionEntry } from '@countersign/pipeline';
import { count, word, words } from './operator-views.ts';

export function readLogKeys(body: JsonObject): LogKeysView {
  return { origin: word(body, 'origin'), active: words(body, 'active'), former: words(body, 'former') };
}

export function readMoved(body: JsonObject): MovedSegments {
  return {
    segments: count(body, 'segments'),
    records: count(body, 'records'),
    bytes: count(body, 'bytes'),
    firstPresent: count(body, 'firstPresent'),
  };
}

export function readSessionEnded(body: JsonObject): SessionEnded {
  return {
    id: word(body, 'id'),
    index: count(body, 'index'),
    time: word(body, 'time'),
    session: word(body, 'session'),
    entries: count(body, 'entries'),
  };
}

export function readSessionEntry(body: JsonObject): SessionEntry {
  return { id: word(body, 'id'), index: count(body, 'index'), seq: count(body, 'seq') };
}
