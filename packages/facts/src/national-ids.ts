/**
 * @module Identity numbers of people by country, as data: how they are written, what proves them, which words announce them, and how sure one may be
 * of one that nothing announces. A number with a weak check (one in ten or eleven passes) and no shape of its own counts only where it is announced.
 */
import { isInsee, isNhs, isSsn, isSteuerId } from './checksums.ts';
import * as is from './national-checks.ts';
import * as sums from './national-sums.ts';

/** How sure a number is that stands there without a word for it; `never` where chance makes too many. */
export type Bare = 'high' | 'low' | 'never';

/** One kind of identity number. */
export interface NationalId {
  readonly type: string;
  /** Takes the value without separators, in upper case. */
  readonly check: (value: string) => boolean;
  /** Sizes of its digit groups with the separators between them, as in `3.3.3-2`; each reading of digit groups is compared with these. */
  readonly groups: readonly string[];
  /** Shape of the whole word where it holds letters. */
  readonly word?: RegExp;
  readonly bare: Bare;
  /** Lower case. */
  readonly words: readonly string[];
  /** What may follow such a word. */
  readonly value: string;
}

type Row = readonly [
  type: string,
  check: (value: string) => boolean,
  groups: string,
  bare: Bare,
  words: string,
  value: string,
  word?: RegExp,
];

const ROWS: readonly Row[] = [
  ['aadhaar', is.isAadhaar, '', 'never', 'aadhaar|aadhar|uidai', String.raw`\d{4}[\s:-]?\d{4}[\s:-]?\d{4}`],
  ['ar_cuit', is.isCuit, '2-8-1', 'high', 'cuit|cuil', String.raw`\d{2}-?\d{8}-?\d`],
  ['at_svnr', is.isSvnr, '', 'never', 'svnr|sozialversicherungsnummer|versicherungsnummer', String.raw`\d{4}\s?\d{6}`],
  ['au_medicare', is.isMedicareCard, '', 'never', 'medicare card|medicare', String.raw`\d{4}\s?\d{5}\s?\d{1,2}`],
  ['au_tfn', is.isTfn, '', 'never', 'tfn|tax file number', String.raw`\d{3}[\s-]?\d{3}[\s-]?\d{3}`],
  [
    'be_national_number',
    is.isBelgian,
    '2.2.2-3.2 2-2-2-3-2',
    'high',
    'rijksregisternummer|registre national|insz|niss',
    String.raw`\d{2}[. ]?\d{2}[. ]?\d{2}[- ]?\d{3}[. ]?\d{2}`,
  ],
  ['bg_egn', is.isEgn, '', 'never', 'egn', String.raw`\d{10}`],
  ['br_cnpj', is.isCnpj, '', 'never', 'cnpj', String.raw`\d{2}\.?\d{3}\.?\d{3}/?\d{4}-?\d{2}`],
  ['br_cpf', is.isCpf, '3.3.3-2', 'high', 'cpf', String.raw`\d{3}\.?\d{3}\.?\d{3}-?\d{2}`],
  ['ca_sin', is.isSin, '', 'never', 'social insurance|sin number|sin:|sin #', String.raw`\d{3}[\s-]?\d{3}[\s-]?\d{3}`],
  ['ch_ahv', is.isAhv, '3.4.4.2 13', 'high', 'ahv|avs|sozialversicherungsnr', String.raw`756\.?\d{4}\.?\d{4}\.?\d{2}`],
  ['cl_rut', is.isRut, '2.3.3-1', 'high', 'rut', String.raw`\d{1,2}\.?\d{3}\.?\d{3}-?[\dk]`],
  ['cn_resident_id', is.isChinese, '18', 'high', 'resident identity|shenfenzheng', String.raw`\d{17}[\dx]`, /^\d{17}X$/],
  ['cz_rodne_cislo', is.isRodne, '', 'never', 'rodne cislo|rodne c', String.raw`\d{6}/?\d{4}`],
  [
    'de_health_insurance',
    is.isKvnr,
    '',
    'low',
    'kvnr|krankenversichertennummer|krankenversicherungsnummer|krankenkasse|egk-nummer|egk',
    String.raw`[a-z]\d{9}`,
    /^[A-Z]\d{9}$/,
  ],
  [
    'de_pension_number',
    is.isRvnr,
    '',
    'high',
    'rvnr|rentenversicherungsnummer|sozialversicherungsausweis',
    String.raw`\d{2}\s?\d{6}\s?[a-z]\s?\d{3}`,
    /^\d{8}[A-Z]\d{3}$/,
  ],
  [
    'de_steuer_id',
    isSteuerId,
    '',
    'never',
    'steuer-id|steuerid|steuer id|steueridentifikationsnummer|steuer-identifikationsnummer|idnr',
    String.raw`\d{2}\s?\d{3}\s?\d{3}\s?\d{3}`,
  ],
  [
    'de_document',
    is.isGermanDocument,
    '',
    'low',
    'reisepass|passnummer|pass-nr|personalausweis|ausweisnummer',
    String.raw`[cfghjklmnprtvwxyz][0-9cfghjklmnprtvwxyz]{8}\d`,
    /^[CFGHJKLMNPRTVWXYZ](?=.{0,7}\d\d)[0-9CFGHJKLMNPRTVWXYZ]{8}\d$/,
  ],
  ['dk_cpr', is.isCpr, '6-4', 'low', 'cpr|personnummer cpr', String.raw`\d{6}-?\d{4}`],
  ['ec_cedula', sums.isCedula, '', 'never', 'cedula|dula', String.raw`\d{9}-?\d`],
  ['ee_isikukood', is.isBaltic, '', 'never', 'isikukood', String.raw`\d{11}`],
  [
    'es_dni',
    is.isDni,
    '',
    'low',
    'dni|nie|nif|documento nacional',
    String.raw`(?:\d{8}|[xyz]-?\d{7})-?[a-z]`,
    /^(?:\d{8}|[XYZ]\d{7})[A-Z]$/,
  ],
  ['fi_henkilotunnus', is.isHetu, '', 'high', 'hetu|henkilotunnus|tunnus', String.raw`\d{6}[-+a-fu-y]\d{3}[0-9a-y]`],
  ['fr_insee', isInsee, '15 13-2 1-2-2-2-3-3-2', 'high', 'nir|insee', String.raw`[1278](?:\s?\d){14}`],
  ['gr_amka', is.isAmka, '', 'never', 'amka', String.raw`\d{11}`],
  ['hk_id', sums.isHongKong, '', 'never', 'hkid|hong kong id|hong kong identity', String.raw`[a-z]{1,2}\d{6}\(?[\da]\)?`],
  ['hr_oib', is.isOib, '', 'never', 'oib', String.raw`\d{11}`],
  ['hu_taj', sums.isTaj, '', 'never', 'taj:|taj number|taj-sz|taj', String.raw`\d{3}[\s-]?\d{3}[\s-]?\d{3}`],
  ['ie_pps', is.isPps, '', 'never', 'pps number|ppsn|pps no', String.raw`\d{7}[a-w][a-iw]?`],
  ['il_id', is.isIsraeli, '', 'never', 'teudat zehut|mispar zehut', String.raw`\d{9}`],
  ['in_voter_id', (value) => /^[A-Z]{3}\d{7}$/.test(value), '', 'never', 'voter id|epic no|elector', String.raw`[a-z]{3}\d{7}`],
  ['is_kennitala', sums.isKennitala, '', 'never', 'kennitala', String.raw`\d{6}-?\d{4}`],
  [
    'it_codice_fiscale',
    is.isCodiceFiscale,
    '',
    'high',
    'codice fiscale|cod. fisc',
    String.raw`[a-z]{6}\d{2}[a-z]\d{2}[a-z]\d{3}[a-z]`,
    /^[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z]$/,
  ],
  ['jp_my_number', is.isMyNumber, '', 'never', 'my number|mynumber', String.raw`\d{4}[\s-]?\d{4}[\s-]?\d{4}`],
  [
    'kr_driver_license',
    is.isKoreanDriver,
    '2-2-6-2',
    'low',
    'korean driver|korea driver',
    String.raw`\d{2}[\s-]?\d{2}[\s-]?\d{6}[\s-]?\d{2}`,
  ],
  ['kr_rrn', is.isRrn, '6-7', 'high', 'rrn|resident registration', String.raw`\d{6}-?\d{7}`],
  ['lt_asmens_kodas', is.isBaltic, '', 'never', 'asmens kodas', String.raw`\d{11}`],
  ['lv_personas_kods', sums.isPersonasKods, '', 'never', 'personas kods', String.raw`\d{6}-?\d{5}`],
  ['mx_curp', is.isCurp, '', 'high', 'curp', String.raw`[a-z]{4}\d{6}[a-z]{6}[a-z0-9]\d`, /^[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z0-9]\d$/],
  ['ng_nin', (value) => /^\d{11}$/.test(value), '', 'never', 'national identification number|nigerian nin', String.raw`\d{11}`],
  ['nl_bsn', is.isBsn, '', 'never', 'bsn|burgerservicenummer|sofinummer', String.raw`\d{4}[. ]?\d{2}[. ]?\d{3}|\d{3}[. ]?\d{3}[. ]?\d{3}`],
  ['nz_ird', sums.isIrd, '', 'never', 'ird number|ird no|inland revenue', String.raw`\d{2,3}-?\d{3}-?\d{3}`],
  ['no_fodselsnummer', is.isFodselsnummer, '11 6-5', 'high', 'fodselsnummer|dselsnummer', String.raw`\d{6}\s?\d{5}`],
  ['pl_pesel', is.isPesel, '11', 'low', 'pesel', String.raw`\d{11}`],
  ['pt_nif', is.isNif, '', 'never', 'contribuinte', String.raw`\d{3}\s?\d{3}\s?\d{3}`],
  ['ro_cnp', is.isCnp, '', 'never', 'cnp|cod numeric personal', String.raw`\d{13}`],
  ['ru_inn', sums.isInn, '', 'never', 'inn:|inn number|taxpayer inn', String.raw`\d{12}`],
  ['ru_snils', sums.isSnils, '', 'never', 'snils', String.raw`\d{3}-?\d{3}-?\d{3}[\s-]?\d{2}`],
  ['se_personnummer', is.isPersonnummer, '6-4 8-4', 'low', 'personnummer|samordningsnummer', String.raw`(?:\d{2})?\d{6}[-+]?\d{4}`],
  ['sg_nric', is.isNric, '', 'low', 'nric|fin no|fin number', String.raw`[stfgm]\d{7}[a-z]`, /^[STFGM]\d{7}[A-Z]$/],
  ['si_emso', sums.isEmso, '', 'never', 'emso', String.raw`\d{13}`],
  ['th_national_id', is.isThai, '1-4-5-2-1', 'high', 'thai id|thai national id', String.raw`\d-?\d{4}-?\d{5}-?\d{2}-?\d`],
  ['tr_kimlik', is.isTckn, '11', 'low', 'tckn|kimlik|turkish id', String.raw`\d{11}`],
  ['tw_national_id', is.isTaiwanese, '', 'low', 'taiwan id', String.raw`[a-z]\d{9}`, /^[A-Z][1289]\d{8}$/],
  ['ua_rnokpp', sums.isRnokpp, '', 'never', 'rnokpp|ipn:', String.raw`\d{10}`],
  ['uy_cedula', sums.isUruguayan, '', 'never', 'cedula|dula', String.raw`\d\.?\d{3}\.?\d{3}-?\d`],
  ['nhs_number', isNhs, '', 'never', 'nhs|national health service', String.raw`\d{3}[-\s]?\d{3}[-\s]?\d{4}`],
  ['us_itin', is.isItin, '3-2-4', 'high', 'itin|individual taxpayer', String.raw`9\d{2}[-\s]?\d{2}[-\s]?\d{4}`],
  [
    'us_medicare_mbi',
    is.isMbi,
    '',
    'high',
    'mbi|medicare id|medicare number|medicare beneficiary',
    String.raw`[a-z0-9]{4}-?[a-z0-9]{3}-?[a-z0-9]{4}`,
  ],
  ['us_dea', is.isDea, '', 'never', 'dea number|dea no|dea #|dea:|dea registration', String.raw`[a-z1][a-z9]\d{7}`],
  ['us_npi', is.isNpi, '', 'never', 'npi|national provider identifier', String.raw`[12]\d{9}`],
  ['us_routing_number', is.isRouting, '', 'never', 'routing number|aba number|routing no|aba routing', String.raw`\d{9}`],
  ['ssn', isSsn, '', 'never', 'ssn|social security|taxpayer id', String.raw`\d{3}[-\s.]?\d{2}[-\s.]?\d{4}`],
  ['za_id_number', is.isSouthAfrican, '13', 'low', 'south african id|sa id|rsa id', String.raw`\d{6}\s?\d{4}\s?\d{3}`],
];

/** All kinds. */
export const NATIONAL_IDS: readonly NationalId[] = ROWS.map(([type, check, groups, bare, words, value, word]) =>
  Object.assign(
    { type, check, groups: groups === '' ? [] : groups.split(' '), bare, words: words.split('|'), value: `${value}(?![a-z0-9])` },
    word === undefined ? undefined : { word },
  ),
);

const SEPARATED = /[\s.\-/:()]/g;

/** A value as its check takes it. */
export function bareValue(value: string): string {
  return value.replaceAll(SEPARATED, '').toUpperCase();
}

const BY_GROUPS: ReadonlyMap<string, readonly NationalId[]> = byGroups();

function byGroups(): ReadonlyMap<string, readonly NationalId[]> {
  const found = new Map<string, NationalId[]>();
  for (const id of NATIONAL_IDS) {
    for (const group of id.groups) found.set(group, [...(found.get(group) ?? []), id]);
  }
  return found;
}

/** How the groups of all kinds are written. */
export const NATIONAL_GROUPS: readonly string[] = [...BY_GROUPS.keys()];

/** The kind whose groups and check a number has, where it may count on its own; `-` between groups stands for one separator throughout. */
export function nationalIdOfGroups(written: string, digits: string): NationalId | undefined {
  const list = BY_GROUPS.get(written);
  return list?.find((id) => id.bare !== 'never' && id.check(digits));
}

const LETTERED: readonly NationalId[] = NATIONAL_IDS.filter((id) => id.word !== undefined && id.bare !== 'never');
const LETTERED_MIN = 9;
const LETTERED_MAX = 18;

/** The kind that a word of letters and digits is. */
export function nationalIdOfWord(word: string): NationalId | undefined {
  if (word.length < LETTERED_MIN || word.length > LETTERED_MAX) return undefined;
  return LETTERED.find((id) => id.word?.test(word) === true && id.check(word));
}
