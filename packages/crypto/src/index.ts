/** @module Everything that needs a key or a hash. The only pure room that sees `node:crypto`. */
export { openAesGcm, sealAesGcm, type OpenRequest, type SealRequest } from './aes-gcm.ts';
export { agentJwtKey, mintAgentJwt, readAgentJwt, verifyAgentJwt, type AgentClaims, type JwtFaultCode } from './agent-jwt.ts';
export { base64, base64url, fromBase64, fromBase64url } from './base64.ts';
export { createSigner, createVerifier, jwkOf, keyIdOf, type Jwk, type Signer, type Verifier } from './ed25519.ts';
export { constantTimeEqual, hmacSha256, sha256, sha256Hex } from './hash.ts';
export {
  createNoteVerifier,
  ed25519NoteKeyHash,
  isNoteName,
  noteKeyHash,
  noteVerifierKey,
  parseNoteVerifierKey,
  parseVerifierKey,
  verifierKeyText,
  type NoteVerifier,
  type VerifierKey,
  type VerifierKeyFaultCode,
} from './note-key.ts';
export { noteSignatureLine, openNote, type NoteFaultCode, type NoteSignature, type OpenedNote } from './note.ts';
export {
  mintScopeToken,
  mintScopeTokenAside,
  readScopeToken,
  scopeBinding,
  type ScopeClaims,
  type ScopeTokenFaultCode,
} from './scope-token.ts';
export { signNote } from './sign-note.ts';
