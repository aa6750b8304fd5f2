/** The one platform global of this room: bytes of a response become text for the fence. */
declare class TextDecoder {
  decode(input: Uint8Array): string;
}
