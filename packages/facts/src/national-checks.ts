/**
 * @module National checks: the check digits and built-in dates of identity numbers, country by country, as their authorities publish them. Each function
 * takes the number without separators, in upper case, and is total.
 */
import { isLuhn, isVerhoeff, remainderOf } from './checksums.ts';

function digitAt(text: string, at: number): number {
  return text.charCodeAt(at) - 0x30;
}

/** Sum of digits times weights, from `from` on. */
function weigh(text: string, weights: readonly number[], from = 0): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i += 1) sum += digitAt(text, from + i) * (weights[i] ?? 0);
  return sum;
}

/** True where the digits at `at` are a month and a day; `order` says which comes first. */
function isDayAndMonth(text: string, at: number, order: 'md' | 'dm'): boolean {
  const first = Number.parseInt(text.slice(at, at + 2), 10);
  const second = Number.parseInt(text.slice(at + 2, at + 4), 10);
  const [month, day] = order === 'md' ? [first, second] : [second, first];
  return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/** Eleven minus the remainder, with what stands for ten and eleven. */
function mod11(sum: number, over: { readonly ten: number; readonly eleven: number }): number {
  const check = 11 - (sum % 11);
  return check === 10 ? over.ten : check === 11 ? over.eleven : check;
}

/** Netherlands, burgerservicenummer: the eleven test. */
export function isBsn(text: string): boolean {
  return /^\d{9}$/.test(text) && text !== '000000000' && (weigh(text, [9, 8, 7, 6, 5, 4, 3, 2]) - digitAt(text, 8)) % 11 === 0;
}

/** Belgium, national register number: 97 less the remainder, with 2 before it for those born since 2000. */
export function isBelgian(text: string): boolean {
  if (!/^\d{11}$/.test(text) || Number.parseInt(text.slice(2, 4), 10) > 12) return false;
  const check = Number.parseInt(text.slice(9), 10);
  const head = text.slice(0, 9);
  return 97 - remainderOf(head, 97) === check || 97 - remainderOf(`2${head}`, 97) === check;
}

const DNI_LETTERS = 'TRWAGMYFPDXBNJZSQVHLCKE';

/** Spain, DNI and NIE: the letter is the number modulo 23. */
export function isDni(text: string): boolean {
  if (!/^(?:\d{8}|[XYZ]\d{7})[A-Z]$/.test(text)) return false;
  const digits = text.slice(0, 8).replace(/^[XYZ]/, (sign) => String('XYZ'.indexOf(sign)));
  return DNI_LETTERS.charAt(remainderOf(digits, 23)) === text.charAt(8);
}

const CODICE_ODD = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23] as const;

/** Italy, codice fiscale: odd places by a table, even ones by value, modulo 26. */
export function isCodiceFiscale(text: string): boolean {
  if (!/^[A-Z]{6}\d{2}[ABCDEHLMPRST]\d{2}[A-Z]\d{3}[A-Z]$/.test(text)) return false;
  let sum = 0;
  for (let i = 0; i < 15; i += 1) {
    const code = text.charCodeAt(i);
    const value = code <= 0x39 ? code - 0x30 : code - 0x41;
    sum += i % 2 === 0 ? (CODICE_ODD[value] ?? 0) : value;
  }
  return text.charCodeAt(15) - 0x41 === sum % 26;
}

/** Poland, PESEL: the month tells the century. */
export function isPesel(text: string): boolean {
  if (!/^\d{11}$/.test(text)) return false;
  const month = Number.parseInt(text.slice(2, 4), 10) % 20;
  const day = Number.parseInt(text.slice(4, 6), 10);
  if (month < 1 || month > 12 || day < 1 || day > 31) return false;
  return (10 - (weigh(text, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10)) % 10 === digitAt(text, 10);
}

/** Sweden, personnummer: a date and Luhn over ten digits. */
export function isPersonnummer(text: string): boolean {
  const ten = text.length === 12 ? text.slice(2) : text;
  return /^\d{10}$/.test(ten) && isDayAndMonth(ten, 2, 'md') && isLuhn(ten);
}

const HETU_SIGNS = '0123456789ABCDEFHJKLMNPRSTUVWXY';

/** Finland, henkilotunnus: date, sign of the century, three digits, modulo 31. */
export function isHetu(text: string): boolean {
  if (!/^\d{6}[-+A-FU-Y]\d{3}[0-9A-Y]$/.test(text) || !isDayAndMonth(text, 0, 'dm')) return false;
  return HETU_SIGNS.charAt(remainderOf(text.slice(0, 6) + text.slice(7, 10), 31)) === text.charAt(10);
}

/** Denmark, CPR: a date; newer numbers have no check digit. */
export function isCpr(text: string): boolean {
  return /^\d{10}$/.test(text) && isDayAndMonth(text, 0, 'dm') && !text.endsWith('0000');
}

/** Norway, fodselsnummer: a date and two check digits modulo 11. */
export function isFodselsnummer(text: string): boolean {
  if (!/^\d{11}$/.test(text) || !isDayAndMonth(String(Number(text[0]) % 4) + text.slice(1), 0, 'dm')) return false;
  const first = mod11(weigh(text, [3, 7, 6, 1, 8, 9, 4, 5, 2]), { ten: -1, eleven: 0 });
  const second = mod11(weigh(text, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]), { ten: -1, eleven: 0 });
  return first === digitAt(text, 9) && second === digitAt(text, 10);
}

/** Weights one and three in turn, as on bar codes. */
function isEan13(text: string): boolean {
  return (10 - (weigh(text, [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3]) % 10)) % 10 === digitAt(text, 12);
}

/** Switzerland, AHV number: country 756 and a bar-code digit. */
export function isAhv(text: string): boolean {
  return /^756\d{10}$/.test(text) && isEan13(text);
}

/** Austria, Versicherungsnummer: serial, check digit, date. */
export function isSvnr(text: string): boolean {
  if (!/^[1-9]\d{9}$/.test(text) || !isDayAndMonth(text, 4, 'dm')) return false;
  return (weigh(text, [3, 7, 9]) + weigh(text, [5, 8, 4, 2, 1, 6], 4)) % 11 === digitAt(text, 3);
}

/** Portugal, NIF. */
export function isNif(text: string): boolean {
  return /^[1235689]\d{8}$/.test(text) && mod11(weigh(text, [9, 8, 7, 6, 5, 4, 3, 2]), { ten: 0, eleven: 0 }) === digitAt(text, 8);
}

/** Brazil, CPF: two check digits modulo 11. */
export function isCpf(text: string): boolean {
  if (!/^\d{11}$/.test(text) || /^(\d)\1*$/.test(text)) return false;
  const first = mod11(weigh(text, [10, 9, 8, 7, 6, 5, 4, 3, 2]), { ten: 0, eleven: 0 });
  return first === digitAt(text, 9) && mod11(weigh(text, [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]), { ten: 0, eleven: 0 }) === digitAt(text, 10);
}

/** Brazil, CNPJ. */
export function isCnpj(text: string): boolean {
  if (!/^\d{14}$/.test(text) || /^(\d)\1*$/.test(text)) return false;
  const first = mod11(weigh(text, [5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]), { ten: 0, eleven: 0 });
  return (
    first === digitAt(text, 12) && mod11(weigh(text, [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]), { ten: 0, eleven: 0 }) === digitAt(text, 13)
  );
}

const CHINA_WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2] as const;

/** China, resident identity: region, full date, ISO 7064 modulo 11, 2. */
export function isChinese(text: string): boolean {
  if (!/^[1-9]\d{5}(?:19|20)\d{9}[\dX]$/.test(text) || !isDayAndMonth(text, 10, 'md')) return false;
  return '10X98765432'.charAt(weigh(text, CHINA_WEIGHTS) % 11) === text.charAt(17);
}

/** Korea, resident registration: date, century, modulo 11. */
export function isRrn(text: string): boolean {
  if (!/^\d{13}$/.test(text) || !isDayAndMonth(text, 2, 'md')) return false;
  return (11 - (weigh(text, [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11)) % 10 === digitAt(text, 12);
}

/** Japan, My Number. */
export function isMyNumber(text: string): boolean {
  if (!/^\d{12}$/.test(text)) return false;
  const rest = weigh(text, [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
  return (rest <= 1 ? 0 : 11 - rest) === digitAt(text, 11);
}

/** Australia, tax file number. */
export function isTfn(text: string): boolean {
  return /^\d{9}$/.test(text) && text !== '000000000' && weigh(text, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0;
}

/** Australia, Medicare card. */
export function isMedicareCard(text: string): boolean {
  return /^[2-6]\d{9,10}$/.test(text) && weigh(text, [1, 3, 7, 9, 1, 3, 7, 9]) % 10 === digitAt(text, 8);
}

/** Canada, social insurance number: Luhn; 0 and 8 are not issued to people. */
export function isSin(text: string): boolean {
  return /^[1-79]\d{8}$/.test(text) && isLuhn(text);
}

/** South Africa: date, citizenship, Luhn. */
export function isSouthAfrican(text: string): boolean {
  return /^\d{10}[01]\d{2}$/.test(text) && isDayAndMonth(text, 2, 'md') && isLuhn(text);
}

/** Turkey, TC kimlik: two check digits. */
export function isTckn(text: string): boolean {
  if (!/^[1-9]\d{10}$/.test(text)) return false;
  const odd = weigh(text, [1, 0, 1, 0, 1, 0, 1, 0, 1]);
  const even = weigh(text, [0, 1, 0, 1, 0, 1, 0, 1]);
  const tenth = (((odd * 7 - even) % 10) + 10) % 10;
  return tenth === digitAt(text, 9) && (odd + even + tenth) % 10 === digitAt(text, 10);
}

/** Singapore, NRIC and FIN. */
export function isNric(text: string): boolean {
  if (!/^[STFGM]\d{7}[A-Z]$/.test(text)) return false;
  const kind = text.charAt(0);
  const offset = kind === 'T' || kind === 'G' ? 4 : kind === 'M' ? 3 : 0;
  const rest = (weigh(text, [2, 7, 6, 5, 4, 3, 2], 1) + offset) % 11;
  const letters = kind === 'S' || kind === 'T' ? 'JZIHGFEDCBA' : kind === 'M' ? 'XWUTRQPNJLK' : 'XWUTRQPNMLK';
  return letters.charAt(rest) === text.charAt(8);
}

/** Germany, pension insurance number: area, date, letter, serial, check digit. */
export function isRvnr(text: string): boolean {
  if (!/^\d{8}[A-Z]\d{3}$/.test(text)) return false;
  const day = Number.parseInt(text.slice(2, 4), 10) % 50;
  const month = Number.parseInt(text.slice(4, 6), 10);
  if (day < 1 || day > 31 || month < 1 || month > 12) return false;
  const letter = String(text.charCodeAt(8) - 0x40).padStart(2, '0');
  return crossSum(text.slice(0, 8) + letter + text.slice(9, 11), [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1]) % 10 === digitAt(text, 11);
}

/** Sum of the digits of each product. */
function crossSum(text: string, weights: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i += 1) {
    const product = digitAt(text, i) * (weights[i] ?? 0);
    sum += Math.floor(product / 10) + (product % 10);
  }
  return sum;
}

/** Germany, health insurance number: a letter, eight digits, check digit. */
export function isKvnr(text: string): boolean {
  if (!/^[A-Z]\d{9}$/.test(text)) return false;
  const letter = String(text.charCodeAt(0) - 0x40).padStart(2, '0');
  return crossSum(letter + text.slice(1, 9), [1, 2, 1, 2, 1, 2, 1, 2, 1, 2]) % 10 === digitAt(text, 9);
}

/** Romania, CNP: century, date, county, modulo 11. */
export function isCnp(text: string): boolean {
  if (!/^[1-9]\d{12}$/.test(text) || !isDayAndMonth(text, 3, 'md')) return false;
  const rest = weigh(text, [2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
  return (rest === 10 ? 1 : rest) === digitAt(text, 12);
}

/** Bulgaria, EGN. */
export function isEgn(text: string): boolean {
  return /^\d{10}$/.test(text) && (weigh(text, [2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11) % 10 === digitAt(text, 9);
}

/** Croatia, OIB: ISO 7064 modulo 11, 10. */
export function isOib(text: string): boolean {
  if (!/^\d{11}$/.test(text)) return false;
  let rest = 10;
  for (let i = 0; i < 10; i += 1) {
    const sum = (rest + digitAt(text, i)) % 10;
    rest = ((sum === 0 ? 10 : sum) * 2) % 11;
  }
  return (11 - rest) % 10 === digitAt(text, 10);
}

/** Greece, AMKA: date and Luhn. */
export function isAmka(text: string): boolean {
  return /^\d{11}$/.test(text) && isDayAndMonth(text, 0, 'dm') && isLuhn(text);
}

/** Estonia and Lithuania: century, date, two rounds modulo 11. */
export function isBaltic(text: string): boolean {
  if (!/^[1-6]\d{10}$/.test(text) || !isDayAndMonth(text, 3, 'md')) return false;
  const first = weigh(text, [1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11;
  const check = first < 10 ? first : (weigh(text, [3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11) % 10;
  return check === digitAt(text, 10);
}

/** Czechia and Slovakia, rodne cislo: a date (month plus 50 for women), divisible by eleven. */
export function isRodne(text: string): boolean {
  if (!/^\d{10}$/.test(text)) return false;
  const month = Number.parseInt(text.slice(2, 4), 10) % 50;
  return month >= 1 && month <= 32 && remainderOf(text, 11) === 0;
}

/** Ireland, PPS number: modulo 23. */
export function isPps(text: string): boolean {
  if (!/^\d{7}[A-W][A-IW]?$/.test(text)) return false;
  const second = text.length === 9 ? (text.charCodeAt(8) - 0x40) % 23 : 0;
  const rest = (weigh(text, [8, 7, 6, 5, 4, 3, 2]) + second * 9) % 23;
  return (rest === 0 ? 'W' : String.fromCharCode(0x40 + rest)) === text.charAt(7);
}

const CURP_SIGNS = '0123456789ABCDEFGHIJKLMN?OPQRSTUVWXYZ';

/** Mexico, CURP. */
export function isCurp(text: string): boolean {
  if (!/^[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z0-9]\d$/.test(text) || !isDayAndMonth(text, 6, 'md')) return false;
  let sum = 0;
  for (let i = 0; i < 17; i += 1) sum += CURP_SIGNS.indexOf(text.charAt(i)) * (18 - i);
  return (10 - (sum % 10)) % 10 === digitAt(text, 17);
}

/** Chile, RUT. */
export function isRut(text: string): boolean {
  if (!/^\d{7,8}[\dK]$/.test(text)) return false;
  const digits = text.slice(0, -1).padStart(8, '0');
  const check = 11 - (weigh(digits, [3, 2, 7, 6, 5, 4, 3, 2]) % 11);
  return (check === 11 ? '0' : check === 10 ? 'K' : String(check)) === text.slice(-1);
}

/** Argentina, CUIT. */
export function isCuit(text: string): boolean {
  return (
    /^(?:20|2[3-7]|3[034])\d{9}$/.test(text) &&
    mod11(weigh(text, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]), { ten: 9, eleven: 0 }) === digitAt(text, 10)
  );
}

/** Thailand. */
export function isThai(text: string): boolean {
  return /^[1-8]\d{12}$/.test(text) && (11 - (weigh(text, [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 10 === digitAt(text, 12);
}

const TAIWAN_LETTERS = 'ABCDEFGHJKLMNPQRSTUVXYWZIO';

/** Taiwan. */
export function isTaiwanese(text: string): boolean {
  if (!/^[A-Z][1289]\d{8}$/.test(text)) return false;
  const area = TAIWAN_LETTERS.indexOf(text.charAt(0)) + 10;
  return (Math.floor(area / 10) + (area % 10) * 9 + weigh(text, [8, 7, 6, 5, 4, 3, 2, 1, 1], 1)) % 10 === 0;
}

/** Israel: Luhn over nine digits. */
export function isIsraeli(text: string): boolean {
  return /^\d{9}$/.test(text) && text !== '000000000' && isLuhn(text);
}

/** India, Aadhaar: Verhoeff; the first digit is 2 or more. */
export function isAadhaar(text: string): boolean {
  return /^[2-9]\d{11}$/.test(text) && isVerhoeff(text);
}

/** United States, individual taxpayer number. */
export function isItin(text: string): boolean {
  return /^9\d{2}(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])\d{4}$/.test(text);
}

/** United States, Medicare beneficiary: letters and digits by place, without S, L, O, I, B and Z. */
export function isMbi(text: string): boolean {
  return /^[1-9][AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d[AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d[AC-HJKMNP-RT-Y]{2}\d{2}$/.test(text);
}

/** United States, routing number of a bank. */
export function isRouting(text: string): boolean {
  return /^(?:0\d|1[0-2]|2[1-9]|3[0-2]|6[1-9]|7[0-2]|80)\d{7}$/.test(text) && weigh(text, [3, 7, 1, 3, 7, 1, 3, 7, 1]) % 10 === 0;
}

/** United Kingdom, driver number: name, decade, month (plus 50 for women), day, year, initials. */
export function isUkDriver(text: string): boolean {
  return (
    /^(?=[A-Z]{2})[A-Z]{2,5}9{0,3}\d(?:0[1-9]|1[0-2]|5[1-9]|6[0-2])(?:0[1-9]|[12]\d|3[01])\d[A-Z9]{2}[A-Z0-9]{3}$/.test(text) &&
    text.length === 16
  );
}

/** United States, provider of health care: Luhn behind the prefix of the health industry. */
export function isNpi(text: string): boolean {
  return /^[12]\d{9}$/.test(text) && isLuhn(`80840${text}`);
}

/** United States, who may prescribe: kind, initial or 9, and a check digit over places one, three, five and twice two, four, six. */
export function isDea(text: string): boolean {
  if (!/^[A-HJ-NPR-UXZ1][A-Z9]\d{7}$/.test(text)) return false;
  return weigh(text, [1, 2, 1, 2, 1, 2], 2) % 10 === digitAt(text, 8);
}

/** Germany, passport and identity card with the check digit of the machine-readable zone: no vowels, weights seven, three, one (ICAO 9303). */
export function isGermanDocument(text: string): boolean {
  if (!/^[CFGHJKLMNPRTVWXYZ][0-9CFGHJKLMNPRTVWXYZ]{8}\d$/.test(text)) return false;
  let sum = 0;
  for (let i = 0; i < 9; i += 1) {
    const code = text.charCodeAt(i);
    sum += (code <= 0x39 ? code - 0x30 : code - 0x37) * ([7, 3, 1][i % 3] ?? 0);
  }
  return sum % 10 === digitAt(text, 9);
}

/** Korea, driving licence: region, year, serial, check that nobody publishes. */
export function isKoreanDriver(text: string): boolean {
  return /^(?:1[1-9]|2[0-68])\d{10}$/.test(text);
}
