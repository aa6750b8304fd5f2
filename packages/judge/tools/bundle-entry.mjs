// What the engine file is made of: the judge, its parsers and their wasm. `build-engine.mjs` gives `countersign:wasm`.
import { transferSigner } from '../src/transfer-signature.ts';
import { createEngine, inflate } from '@countersign/judge';
import { bash, cedarLength, packedCedar, pgQuery, treeSitter } from 'countersign:wasm';

/** Instantiates the parsers and gives the engine. */
export function openEngine() {
  return createEngine({ bash, pgQuery, treeSitter, cedar: () => inflate(packedCedar(), cedarLength), signer: transferSigner });
}
