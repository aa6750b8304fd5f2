/**
 * @module Check digits of identity numbers that are one weighted sum, for countries beyond those of `national-checks.ts`. Each function takes the value without separators,
 * in upper case, and is total.
 */

function digitAt(text: string, at: number): number {
  return text.charCodeAt(at) - 0x30;
}

function weigh(text: string, weights: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i += 1) sum += digitAt(text, i) * (weights[i] ?? 0);
  return sum;
}

/** Eleven less the remainder; eleven stands for nothing. */
function lessThanEleven(sum: number): number {
  return (11 - (sum % 11)) % 11;
}

function isDay(text: string): boolean {
  const day = Number.parseInt(text.slice(0, 2), 10);
  const month = Number.parseInt(text.slice(2, 4), 10);
  return day >= 1 && day <= 31 && month >= 1 && month <= 12;
}

/** Ecuador, cedula: province, Luhn from the left. */
export function isCedula(text: string): boolean {
  if (!/^(?:0[1-9]|1\d|2[0-4]|30)[0-6]\d{7}$/.test(text)) return false;
  let sum = 0;
  for (let i = 0; i < 9; i += 1) {
    const product = digitAt(text, i) * (i % 2 === 0 ? 2 : 1);
    sum += product > 9 ? product - 9 : product;
  }
  return (10 - (sum % 10)) % 10 === digitAt(text, 9);
}

/** Hong Kong: one or two letters, six digits, modulo eleven. */
export function isHongKong(text: string): boolean {
  if (!/^[A-Z]{1,2}\d{6}[\dA]$/.test(text)) return false;
  const padded = text.padStart(9);
  let sum = 0;
  for (let i = 0; i < 8; i += 1) {
    const sign = padded.charAt(i);
    const value = sign === ' ' ? 36 : /\d/.test(sign) ? digitAt(padded, i) : sign.charCodeAt(0) - 0x37;
    sum += value * (9 - i);
  }
  const check = lessThanEleven(sum);
  return (check === 10 ? 'A' : String(check)) === text.slice(-1);
}

/** Hungary, social insurance. */
export function isTaj(text: string): boolean {
  return /^\d{9}$/.test(text) && text !== '000000000' && weigh(text, [3, 7, 3, 7, 3, 7, 3, 7]) % 10 === digitAt(text, 8);
}

/** Iceland, kennitala: date, serial, check digit, century. */
export function isKennitala(text: string): boolean {
  return /^\d{9}[089]$/.test(text) && isDay(text) && lessThanEleven(weigh(text, [3, 2, 7, 6, 5, 4, 3, 2])) === digitAt(text, 8);
}

/** Latvia, personas kods of those born before July 2017: date and check digit. */
export function isPersonasKods(text: string): boolean {
  return /^\d{11}$/.test(text) && isDay(text) && (1101 - weigh(text, [1, 6, 3, 7, 9, 10, 5, 8, 4, 2])) % 11 === digitAt(text, 10);
}

/** New Zealand, inland revenue: a second set of weights where the first gives ten. */
export function isIrd(text: string): boolean {
  if (!/^\d{8,9}$/.test(text)) return false;
  const number = text.padStart(9, '0');
  if (number < '010000000' || number > '150000000') return false;
  const first = lessThanEleven(weigh(number, [3, 2, 7, 6, 5, 4, 3, 2]));
  const check = first === 10 ? lessThanEleven(weigh(number, [7, 4, 3, 2, 5, 2, 7, 6])) : first;
  return check === digitAt(number, 8);
}

/** Russia, SNILS: the sum modulo 101. */
export function isSnils(text: string): boolean {
  if (!/^\d{11}$/.test(text) || text.startsWith('000000000')) return false;
  return (weigh(text, [9, 8, 7, 6, 5, 4, 3, 2, 1]) % 101) % 100 === Number.parseInt(text.slice(9), 10);
}

/** Russia, INN of a person: two check digits. */
export function isInn(text: string): boolean {
  if (!/^\d{12}$/.test(text) || /^0+$/.test(text)) return false;
  const first = (weigh(text, [7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11) % 10;
  return first === digitAt(text, 10) && (weigh(text, [3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11) % 10 === digitAt(text, 11);
}

/** Slovenia, EMSO: date, region, modulo eleven. */
export function isEmso(text: string): boolean {
  if (!/^\d{13}$/.test(text) || !isDay(text)) return false;
  return lessThanEleven(weigh(text, [7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2])) === digitAt(text, 12);
}

/** Ukraine, RNOKPP. */
export function isRnokpp(text: string): boolean {
  if (!/^\d{10}$/.test(text) || /^0+$/.test(text)) return false;
  return (((weigh(text, [-1, 5, 7, 9, 4, 6, 10, 5, 7]) % 11) + 11) % 11) % 10 === digitAt(text, 9);
}

/** Uruguay, cedula. */
export function isUruguayan(text: string): boolean {
  return /^[1-9]\d{7}$/.test(text) && (10 - (weigh(text, [2, 9, 8, 7, 6, 3, 4]) % 10)) % 10 === digitAt(text, 7);
}
