/** @module Rotations of the alphabet: ROT13, the shifts that Caesar is said to have used, and Atbash, which turns the alphabet round. */

const A = 0x61;

function mapLetters(text: string, place: (letter: number) => number): string {
  let out = '';
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    const low = code | 0x20;
    if (low < A || low > 0x7a) out += text.charAt(i);
    else out += String.fromCharCode(place(low - A) + A - (low - code));
  }
  return out;
}

/** Rotates the ASCII letters forward by `by` places, 0 to 25. */
export function rotate(text: string, by: number): string {
  return mapLetters(text, (letter) => (letter + by) % 26);
}

/** Rotates the ASCII letters by thirteen: its own opposite. */
export function rot13(text: string): string {
  return rotate(text, 13);
}

/** The first letter for the last one, and so on: its own opposite. */
export function atbash(text: string): string {
  return mapLetters(text, (letter) => 25 - letter);
}
