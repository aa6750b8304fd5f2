import { describe, expect, it } from 'vitest';
import * as checks from '../src/national-checks.ts';
import * as sums from '../src/national-sums.ts';
import { bareValue, NATIONAL_IDS, nationalIdOfGroups, nationalIdOfWord } from '../src/national-ids.ts';

/** Examples that authorities and manuals publish; none is a person's. */
const PUBLISHED: readonly (readonly [name: string, check: (value: string) => boolean, value: string])[] = [
  ['isBsn', checks.isBsn, '111222333'],
  ['isBelgian', checks.isBelgian, '85073003328'],
  ['isDni', checks.isDni, '12345678Z'],
  ['isDni', checks.isDni, 'X1234567L'],
  ['isCodiceFiscale', checks.isCodiceFiscale, 'RSSMRA85T10A562S'],
  ['isPesel', checks.isPesel, '44051401458'],
  ['isPersonnummer', checks.isPersonnummer, '8112189876'],
  ['isHetu', checks.isHetu, '131052-308T'],
  ['isCpr', checks.isCpr, '2110625629'],
  ['isFodselsnummer', checks.isFodselsnummer, '15108695088'],
  ['isAhv', checks.isAhv, '7569217076985'],
  ['isSvnr', checks.isSvnr, '1237010180'],
  ['isNif', checks.isNif, '123456789'],
  ['isCpf', checks.isCpf, '39053344705'],
  ['isCnpj', checks.isCnpj, '16727230000197'],
  ['isChinese', checks.isChinese, '11010519491231002X'],
  ['isRrn', checks.isRrn, '9710139019902'],
  ['isMyNumber', checks.isMyNumber, '123456789018'],
  ['isTfn', checks.isTfn, '123456782'],
  ['isMedicareCard', checks.isMedicareCard, '2123456701'],
  ['isSin', checks.isSin, '193456787'],
  ['isSouthAfrican', checks.isSouthAfrican, '7503305044089'],
  ['isTckn', checks.isTckn, '10000000146'],
  ['isNric', checks.isNric, 'S1234567D'],
  ['isRvnr', checks.isRvnr, '15070649C103'],
  ['isKvnr', checks.isKvnr, 'A123456780'],
  ['isCnp', checks.isCnp, '1630615123457'],
  ['isEgn', checks.isEgn, '7523169263'],
  ['isOib', checks.isOib, '33392005961'],
  ['isAmka', checks.isAmka, '01013099997'],
  ['isBaltic', checks.isBaltic, '36805280109'],
  ['isBaltic', checks.isBaltic, '33309240064'],
  ['isRodne', checks.isRodne, '7103192745'],
  ['isPps', checks.isPps, '6433435F'],
  ['isPps', checks.isPps, '6433435OA'],
  ['isCurp', checks.isCurp, 'BOXW310820HNERXN09'],
  ['isRut', checks.isRut, '125319092'],
  ['isCuit', checks.isCuit, '20055361682'],
  ['isThai', checks.isThai, '3100600445635'],
  ['isTaiwanese', checks.isTaiwanese, 'A123456789'],
  ['isIsraeli', checks.isIsraeli, '039337423'],
  ['isItin', checks.isItin, '912903457'],
  ['isMbi', checks.isMbi, '1EG4TE5MK73'],
  ['isRouting', checks.isRouting, '111000025'],
  ['isUkDriver', checks.isUkDriver, 'MORGA607054SM9IJ'],
  ['isAadhaar', checks.isAadhaar, '234123412346'],
  ['isNric', checks.isNric, 'M1234567K'],
  ['isCedula', sums.isCedula, '1714307103'],
  ['isHongKong', sums.isHongKong, 'A1234563'],
  ['isTaj', sums.isTaj, '111111110'],
  ['isKennitala', sums.isKennitala, '1201743399'],
  ['isPersonasKods', sums.isPersonasKods, '16117519997'],
  ['isIrd', sums.isIrd, '49091850'],
  ['isSnils', sums.isSnils, '11223344595'],
  ['isInn', sums.isInn, '500100732259'],
  ['isEmso', sums.isEmso, '0101006500006'],
  ['isRnokpp', sums.isRnokpp, '1759013776'],
  ['isUruguayan', sums.isUruguayan, '12345672'],
  ['isNpi', checks.isNpi, '1234567893'],
  ['isDea', checks.isDea, 'AB1234563'],
  ['isGermanDocument', checks.isGermanDocument, 'C01X00T478'],
  ['isGermanDocument', checks.isGermanDocument, 'C01X0006H1'],
  ['isKoreanDriver', checks.isKoreanDriver, '112212345612'],
];

describe('check digits of identity numbers', () => {
  it.each(PUBLISHED)('%s takes a published example and no neighbour of it', (_name, check, value) => {
    expect(check(value)).toBe(true);
    expect(check('')).toBe(false);
    expect(check(value.slice(0, -1))).toBe(false);
    if (check !== checks.isMedicareCard) expect(check(`${value}0`)).toBe(false);
    expect(check(value.toLowerCase() === value ? `${value.slice(0, -1)}A` : value.toLowerCase())).toBe(false);
  });

  /** Without a check digit: their dates and letters are all there is. */
  const UNCHECKED = new Set(['isCpr', 'isItin', 'isMbi', 'isUkDriver', 'isKoreanDriver']);

  it.each(PUBLISHED.filter(([name]) => !UNCHECKED.has(name)))('%s notices nearly every wrong digit', (_name, check, value) => {
    let changed = 0;
    let passed = 0;
    for (let at = 0; at < value.length; at += 1) {
      for (const digit of '0123456789') {
        if (!/\d/.test(value.charAt(at)) || digit === value.charAt(at)) continue;
        changed += 1;
        if (check(value.slice(0, at) + digit + value.slice(at + 1))) passed += 1;
      }
    }
    expect(changed).toBeGreaterThan(0);
    expect(passed / changed).toBeLessThan(0.12);
  });

  it.each([
    ['isCpr', checks.isCpr, '3213625629'],
    ['isCpr', checks.isCpr, '2110620000'],
    ['isItin', checks.isItin, '812903457'],
    ['isItin', checks.isItin, '912493457'],
    ['isMbi', checks.isMbi, '1EG4LE5MK73'],
    ['isUkDriver', checks.isUkDriver, 'MORGA613054SM9IJ'],
    ['isPesel', checks.isPesel, '44131401458'],
    ['isChinese', checks.isChinese, '11010519491331002X'],
    ['isSin', checks.isSin, '000000000'],
    ['isCpf', checks.isCpf, '11111111111'],
    ['isCnpj', checks.isCnpj, '00000000000000'],
    ['isBsn', checks.isBsn, '000000000'],
    ['isTfn', checks.isTfn, '000000000'],
    ['isIsraeli', checks.isIsraeli, '000000000'],
  ] as const)('%s: what was never issued', (_name, check, value) => {
    expect(check(value)).toBe(false);
  });
});

describe('identity numbers without a word', () => {
  it('count by their groups or their letters only where chance makes few of them', () => {
    expect(nationalIdOfGroups('3.3.3-2', '39053344705')?.type).toBe('br_cpf');
    expect(nationalIdOfGroups('3-3-3-2', '39053344705')).toBeUndefined();
    expect(nationalIdOfGroups('3.3.3-2', '39053344706')).toBeUndefined();
    expect(nationalIdOfGroups('11', '39053344705')).toBeUndefined();
    expect(nationalIdOfGroups('11', '44051401458')).toMatchObject({ type: 'pl_pesel', bare: 'low' });
    expect(nationalIdOfWord('RSSMRA85T10A562S')).toMatchObject({ type: 'it_codice_fiscale', bare: 'high' });
    expect(nationalIdOfWord('RSSMRA85T10A562T')).toBeUndefined();
  });

  it('every group that is written down leads to its kind', () => {
    for (const id of NATIONAL_IDS) {
      if (id.bare === 'never') expect(id.groups).toEqual([]);
    }
    expect(bareValue('85.07.30-033 28')).toBe('85073003328');
  });
});
