/** @module Writes the edges of vectors/crypto/ed25519.json again: run it where an edge is added, and read the difference. */
import { readFileSync, writeFileSync } from 'node:fs';
import { ed25519Edges } from './ed25519-edges.ts';

const file = new URL('../../../vectors/crypto/ed25519.json', import.meta.url);
const vectors = JSON.parse(readFileSync(file, 'utf8')) as object;
writeFileSync(file, `${JSON.stringify({ ...vectors, edges: ed25519Edges() }, null, 2)}\n`);
