/** @module Check digits. Each function takes bare digits or letters and is total. */

function digitAt(text: string, at: number): number {
  return text.charCodeAt(at) - 0x30;
}

/** ISO/IEC 7812-1 (Luhn). */
export function isLuhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i += 1) {
    let digit = digitAt(digits, digits.length - 1 - i);
    if (i % 2 === 1) digit = digit > 4 ? digit * 2 - 9 : digit * 2;
    sum += digit;
  }
  return digits.length > 0 && sum % 10 === 0;
}

const DIHEDRAL = [
  '0123456789',
  '1234067895',
  '2340178956',
  '3401289567',
  '4012395678',
  '5987604321',
  '6598710432',
  '7659821043',
  '8765932104',
  '9876543210',
];
const PERMUTATION = ['0123456789', '1576283094', '5803796142', '8916043527', '9453126870', '4286573901', '2793806415', '7046913258'];

/** Verhoeff's dihedral check, which Aadhaar uses. */
export function isVerhoeff(digits: string): boolean {
  let check = 0;
  for (let i = 0; i < digits.length; i += 1) {
    const digit = digitAt(digits, digits.length - 1 - i);
    const permuted = digitAt(PERMUTATION[i % 8] ?? '', digit);
    check = digitAt(DIHEDRAL[check] ?? '', permuted);
  }
  return digits.length > 0 && check === 0;
}

/** Remainder of a number of any length; letters count 10 to 35 (ISO 7064). */
export function remainderOf(text: string, modulus: number): number {
  let rest = 0;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    const value = code <= 0x39 ? code - 0x30 : (code & 0x1f) + 9;
    rest = (rest * (value > 9 ? 100 : 10) + value) % modulus;
  }
  return rest;
}

/** Lengths by country, as the registry of ISO 13616 has them. */
const IBAN_LENGTHS: ReadonlyMap<string, number> = new Map(
  (
    'NO15 BE16 DK18 FI18 FK18 FO18 GL18 NL18 SD18 MK19 SI19 AT20 BA20 EE20 KZ20 LT20 LU20 MN20 XK20 CH21 HR21 LI21 LV21 BG22 BH22 CR22 DE22 GB22 GE22 IE22 ' +
    'ME22 RS22 VA22 AE23 GI23 IL23 IQ23 OM23 SO23 TL23 AD24 CZ24 ES24 MD24 PK24 RO24 SA24 SE24 SK24 TN24 VG24 LY25 PT25 ST25 IS26 TR26 BI27 DJ27 FR27 GR27 ' +
    'IT27 MC27 MR27 SM27 AL28 AZ28 BY28 CY28 DO28 GT28 HN28 HU28 LB28 NI28 PL28 SV28 BR29 EG29 PS29 QA29 UA29 JO30 KW30 MU30 YE30 MT31 SC31 LC32 RU33'
  )
    .split(' ')
    .map((row) => [row.slice(0, 2), Number.parseInt(row.slice(2), 10)] as const),
);

/** ISO 13616: as long as the country's are, and the first four characters moved to the end leave one modulo 97. */
export function isIban(text: string): boolean {
  return IBAN_LENGTHS.get(text.slice(0, 2)) === text.length && remainderOf(text.slice(4) + text.slice(0, 4), 97) === 1;
}

/** NHS number: weights ten to two, modulo eleven. */
export function isNhs(digits: string): boolean {
  if (digits.length !== 10) return false;
  let sum = 0;
  for (let i = 0; i < 9; i += 1) sum += digitAt(digits, i) * (10 - i);
  const check = (11 - (sum % 11)) % 11;
  return check !== 10 && check === digitAt(digits, 9);
}

/** German tax number (Steuer-ID): ISO 7064 modulo 11, 10. */
export function isSteuerId(digits: string): boolean {
  if (digits.length !== 11 || digits.startsWith('0')) return false;
  let product = 10;
  for (let i = 0; i < 10; i += 1) {
    const sum = (digitAt(digits, i) + product) % 10;
    product = ((sum === 0 ? 10 : sum) * 2) % 11;
  }
  return (11 - product) % 10 === digitAt(digits, 10);
}

/** French social security number: key is 97 less the remainder of the first thirteen digits. */
export function isInsee(digits: string): boolean {
  return digits.length === 15 && 97 - remainderOf(digits.slice(0, 13), 97) === remainderOf(digits.slice(13), 97 * 97);
}

const VIN_VALUES: ReadonlyMap<string, number> = new Map(
  Array.from('ABCDEFGHJKLMNPRSTUVWXYZ', (letter, i) => [letter, Number.parseInt('12345678123457923456789'.charAt(i), 10)] as const),
);
const VIN_WEIGHTS = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2] as const;

/** ISO 3779 check digit as North America requires it. */
export function isVin(text: string): boolean {
  if (text.length !== 17) return false;
  let sum = 0;
  for (let i = 0; i < 17; i += 1) {
    const sign = text.charAt(i);
    const value = VIN_VALUES.get(sign) ?? (sign >= '0' && sign <= '9' ? Number.parseInt(sign, 10) : -1);
    if (value < 0) return false;
    sum += value * (VIN_WEIGHTS[i] ?? 0);
  }
  const check = sum % 11;
  return text.charAt(8) === (check === 10 ? 'X' : String(check));
}

/** Areas, groups and serials that the United States never issued are none (SSA, since 2011). */
export function isSsn(digits: string): boolean {
  const area = digits.slice(0, 3);
  if (digits.length !== 9 || area === '000' || area === '666' || area >= '900') return false;
  return digits.slice(3, 5) !== '00' && digits.slice(5) !== '0000' && digits !== '123456789' && digits !== '078051120';
}

/** Number of a payment card by issuer range and length (Visa, Mastercard, American Express, Discover, Diners, JCB, UnionPay, Maestro) and Luhn. */
export function isCard(digits: string): boolean {
  if (digits.length < 13 || digits.length > 19 || !isLuhn(digits) || new Set(digits).size < 2) return false;
  const six = Number.parseInt(digits.slice(0, 6), 10);
  return CARD_RANGES.some(([from, to, lengths]) => six >= from && six <= to && lengths.includes(digits.length));
}

/** Numbers that card networks and payment providers publish for trying things out: nobody's. */
const TEST_CARDS: ReadonlySet<string> = new Set(
  (
    '4111111111111111 4242424242424242 4012888888881881 4000056655665556 4000002500003155 4222222222222 5555555555554444 5105105105105100 5200828282828210 ' +
    '2223003122003222 2223000048400011 5500000000000004 378282246310005 371449635398431 378734493671000 340000000000009 6011111111111117 6011000990139424 ' +
    '6011000000000004 30569309025904 38520000023237 30000000000004 3056930009020004 3566002020360505 3530111333300000 6200000000000005 6205500000000000004'
  ).split(' '),
);

/** A card number out of a manual. */
export function isTestCard(digits: string): boolean {
  return TEST_CARDS.has(digits);
}

const CARD_RANGES: readonly (readonly [from: number, to: number, lengths: readonly number[]])[] = [
  [400_000, 499_999, [13, 16, 19]],
  [510_000, 559_999, [16]],
  [222_100, 272_099, [16]],
  [340_000, 349_999, [15]],
  [370_000, 379_999, [15]],
  [601_100, 601_199, [16, 19]],
  [622_126, 622_925, [16, 17, 18, 19]],
  [644_000, 659_999, [16, 19]],
  [300_000, 305_999, [14, 16]],
  [360_000, 369_999, [14, 16]],
  [380_000, 399_999, [14, 16]],
  [352_800, 358_999, [16, 17, 18, 19]],
  [620_000, 629_999, [16, 17, 18, 19]],
  [500_000, 509_999, [16, 18, 19]],
  [560_000, 589_999, [16, 18, 19]],
  [630_000, 639_999, [16, 18, 19]],
];

/** North American telephone number: area and exchange begin with 2 to 9 and are no service code; ten digits. */
export function isNanp(digits: string): boolean {
  return digits.length === 10 && /^[2-9](?!11)\d\d[2-9](?!11)\d{6}$/.test(digits);
}
