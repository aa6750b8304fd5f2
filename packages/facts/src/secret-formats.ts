/**
 * @module Formats of provider tokens: a fixed prefix, an alphabet and a length, as their providers publish them. One row is one format.
 * The prefix is written as it is; the length counts what follows it.
 */

/** Alphabets, as bits of `ALPHABET`. */
const DIGIT = 1;
const LOWER_HEX = 2;
const LOWER = 4;
const UPPER = 8;
const UNDERSCORE = 16;
const DASH = 32;
const DOT = 64;
const BASE64 = 128;
const EQUALS = 256;
const COLON = 512;
const SLASH = 1024;

const ALPHABETS = {
  hex: DIGIT | LOWER_HEX,
  lower: DIGIT | LOWER_HEX | LOWER,
  upper: DIGIT | UPPER,
  alnum: DIGIT | LOWER_HEX | LOWER | UPPER,
  word: DIGIT | LOWER_HEX | LOWER | UPPER | UNDERSCORE,
  url: DIGIT | LOWER_HEX | LOWER | UPPER | UNDERSCORE | DASH,
  dashed: DIGIT | LOWER_HEX | LOWER | UPPER | DASH,
  dotted: DIGIT | LOWER_HEX | LOWER | UPPER | UNDERSCORE | DASH | DOT,
  base64: DIGIT | LOWER_HEX | LOWER | UPPER | BASE64 | SLASH | EQUALS,
  path: DIGIT | LOWER_HEX | LOWER | UPPER | UNDERSCORE | DASH | DOT | SLASH,
  any: DIGIT | LOWER_HEX | LOWER | UPPER | UNDERSCORE | DASH | DOT | BASE64 | SLASH | EQUALS | COLON,
} as const;

type Alphabet = keyof typeof ALPHABETS;

/** Bits of each ASCII character. */
export const ALPHABET: Uint16Array = buildAlphabet();

function buildAlphabet(): Uint16Array {
  const table = new Uint16Array(128);
  for (let code = 0x30; code <= 0x39; code += 1) table[code] = DIGIT;
  for (let code = 0x41; code <= 0x5a; code += 1) table[code] = UPPER;
  for (let code = 0x61; code <= 0x7a; code += 1) table[code] = code <= 0x66 ? LOWER_HEX : LOWER;
  const signs: readonly (readonly [string, number])[] = [
    ['_', UNDERSCORE],
    ['-', DASH],
    ['.', DOT],
    ['+', BASE64],
    ['/', SLASH],
    ['=', EQUALS],
    [':', COLON],
  ];
  for (const [sign, bit] of signs) table[sign.charCodeAt(0)] = bit;
  return table;
}

/** One format, compiled. */
export interface SecretFormat {
  readonly type: string;
  readonly prefix: string;
  /** Bits of the characters that may follow. */
  readonly alphabet: number;
  readonly lengthMin: number;
  readonly lengthMax: number;
  /** What the characters after the prefix must look like, where alphabet and length do not say it. Applied to a bounded, whole run only. */
  readonly shape?: RegExp;
}

/** `type`, `alphabet`, `shortest-longest`, then prefixes. */
const ROWS: readonly string[] = [
  'aws_access_key upper 16-16 AKIA ASIA ABIA ACCA AROA AIDA AGPA ANPA',
  'aws_bedrock_key base64 100-512 ABSK',
  'github_token alnum 36-255 ghp_ gho_ ghu_ ghs_ ghr_',
  'github_token word 82-82 github_pat_',
  'gitlab_token url 20-300 glpat- gldt- glft- glsoat- glimt- glagent- gloas- glptt- glffct- glwt-',
  'gitlab_token dotted 20-300 glrt- glcbt- GR1348941',
  'openai_key url 40-300 sk-proj- sk-svcacct- sk-admin- sk-None-',
  'openai_key alnum 48-48 sk-',
  'deepseek_key hex 32-32 sk-',
  'anthropic_key url 60-200 sk-ant-api03- sk-ant-admin01- sk-ant-oat01- sk-ant-sid01- sk-ant-api04-',
  'anthropic_key url 80-200 sk-ant-',
  'openrouter_key hex 64-64 sk-or-v1-',
  'langsmith_key word 40-60 lsv2_pt_ lsv2_sk_',
  'groq_key alnum 52-52 gsk_',
  'xai_key alnum 70-90 xai-',
  'perplexity_key alnum 40-56 pplx-',
  'replicate_key alnum 37-40 r8_',
  'huggingface_token alnum 34-40 hf_ api_org_',
  'stripe_key alnum 10-247 sk_live_ sk_test_ rk_live_ rk_test_ sk_prod_ rk_prod_',
  'stripe_webhook_secret base64 32-64 whsec_',
  'slack_token dashed 20-255 xoxb- xoxa- xoxp- xoxr- xoxs- xoxo- xoxa-2-',
  'slack_token alnum 40-300 xoxe-1- xoxe.xoxb-1- xoxe.xoxp-1-',
  'slack_token dashed 40-255 xapp- xwfp-',
  'slack_webhook path 30-120 hooks.slack.com/services/T hooks.slack.com/workflows/T hooks.slack.com/triggers/T',
  'discord_webhook path 70-130 discord.com/api/webhooks/ discordapp.com/api/webhooks/',
  'teams_webhook path 20-400 webhook.office.com/webhookb2/',
  'google_api_key url 35-35 AIza',
  'google_oauth_secret url 28-28 GOCSPX-',
  'google_oauth_token url 60-400 ya29.',
  'npm_token alnum 36-36 npm_',
  'pypi_token url 70-300 pypi-AgE',
  'rubygems_token hex 48-48 rubygems_',
  'crates_token alnum 32-32 cio',
  'nuget_key lower 43-43 oy2',
  'docker_token url 27-40 dckr_pat_ dckr_oat_',
  'sendgrid_key dotted 60-70 SG.',
  'twilio_key hex 32-32 SK',
  'mailgun_key hex 32-32 key-',
  'mailgun_key dashed 32-60 pubkey-',
  'digitalocean_token hex 64-64 dop_v1_ doo_v1_ dor_v1_',
  'shopify_token alnum 32-38 shpat_ shpca_ shppa_ shpss_',
  'square_token url 22-60 sq0atp- sq0csp- sq0idp-',
  'square_token url 55-64 EAAA',
  'facebook_token alnum 100-300 EAA',
  'heroku_key url 36-70 HRKU-',
  'databricks_token hex 32-34 dapi',
  'doppler_token alnum 40-60 dp.pt. dp.st. dp.ct. dp.sa. dp.scim. dp.audit.',
  'dynatrace_token dotted 60-130 dt0c01. dt0s16.',
  'easypost_key alnum 54-54 EZAK EZTK',
  'figma_token url 40-60 figd_ figu_',
  'flyio_token alnum 43-43 fo1_',
  'frameio_token url 64-64 fio-u-',
  'grafana_token base64 32-400 glc_',
  'grafana_token word 41-41 glsa_',
  'vault_token url 24-300 hvs. hvb. hvr.',
  'infracost_key alnum 32-32 ico-',
  'linear_key alnum 40-40 lin_api_',
  'newrelic_key alnum 19-50 NRAK- NRII- NRJS- NRIQ- NRRA- NRSP-',
  'notion_token alnum 40-50 ntn_',
  'notion_token alnum 43-43 secret_',
  'planetscale_token any 32-64 pscale_tkn_ pscale_pw_ pscale_oauth_',
  'postman_key dashed 59-59 PMAK-',
  'prefect_token alnum 36-36 pnu_ pnb_',
  'pulumi_token hex 40-40 pul-',
  'readme_token lower 70-70 rdme_',
  'scaleway_key dashed 36-36 SCWSECRET-',
  'sentry_token base64 60-300 sntrys_',
  'sentry_token hex 64-64 sntryu_ sntrya_ sntryi_',
  'shippo_token hex 40-40 shippo_live_ shippo_test_',
  'sourcegraph_token word 40-80 sgp_',
  'supabase_token hex 40-40 sbp_',
  'supabase_token url 30-60 sb_secret_',
  'tailscale_key dashed 15-80 tskey-api- tskey-auth- tskey-client- tskey-scim- tskey-webhook- tskey-',
  'typeform_token dotted 55-62 tfp_',
  'atlassian_token any 100-300 ATATT3 ATCTT3',
  'bitbucket_token alnum 20-40 ATBB',
  'artifactory_token alnum 69-80 AKCp',
  'artifactory_token alnum 58-60 cmVmdGtuO',
  'age_secret_key upper 58-58 AGE-SECRET-KEY-1',
  'airtable_token hex 64-64 pat.',
  'adobe_secret hex 32-32 p8e-',
  'alibaba_access_key alnum 16-26 LTAI',
  'clojars_token lower 60-60 CLOJARS_',
  'cloudflare_key dashed 140-160 v1.0-',
  'contentful_token url 43-43 CFPAT-',
  'duffel_token url 43-43 duffel_test_ duffel_live_',
  'flutterwave_key dashed 32-40 FLWSECK_TEST- FLWSECK-',
  'hubspot_token dashed 36-50 pat-na1- pat-eu1- pat-na2-',
  'lob_key hex 35-35 live_ test_',
  'onepassword_token base64 250-512 ops_eyJ',
  'openshift_token url 43-43 sha256~',
  'octopus_key alnum 25-34 API-',
  'settlemint_token lower 16-16 sm_aat_ sm_pat_ sm_sat_',
  'sonarqube_token alnum 40-40 squ_ sqp_ sqa_',
  'telegram_token url 33-33 :AA',
  'terraform_token url 60-90 .atlasv1.',
  'yandex_key url 35-38 AQVN',
  'mapbox_token dotted 80-150 sk.eyJ',
  'maxmind_key alnum 26-32 _mmk',
  'azure_storage_key base64 88-88 AccountKey= SharedAccessKey=',
  'azure_client_secret dotted 31-34 7Q~ 8Q~',
  'azure_devops_token alnum 76-76 AZDO',
  'buildkite_token lower 40-60 bkua_ bkaa_ bkct_',
  'circleci_token url 40-90 CCIPAT_ CCIPRJ_',
  'elastic_key base64 40-120 essu_',
  'asana_token any 30-60 1/1',
  'brevo_key dashed 80-90 xkeysib- xsmtpsib-',
  'razorpay_key alnum 14-14 rzp_live_ rzp_test_',
  'paypal_token alnum 16-32 access_token$production$',
  'launchdarkly_key dashed 36-36 sdk- mob-',
  'checkout_key dashed 36-36 sk_sbox_',
];

/** Shapes by type, for formats whose parts are set apart; they read one bounded run. */
const SHAPES: ReadonlyMap<string, RegExp> = new Map([
  ['aws_access_key', /^[A-Z2-7]{16}$/],
  ['sendgrid_key', /^[\w-]{16,24}\.[\w-]{40,46}$/],
  ['slack_webhook', /^[A-Za-z0-9]{6,14}\/[A-Za-z0-9]{6,14}\/[A-Za-z0-9/]{16,60}$/],
  ['discord_webhook', /^\d{15,22}\/[\w-]{40,90}$/],
  ['dynatrace_token', /^[A-Z0-9]{24}\.[A-Z0-9]{64}$/],
  ['postman_key', /^[0-9a-f]{24}-[0-9a-f]{34}$/],
  ['newrelic_key', /^[A-Za-z0-9]{19,50}$/],
  ['launchdarkly_key', /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/],
  ['octopus_key', /^[A-Z0-9]{25,34}$/],
  ['asana_token', /^\d{10,20}:[0-9a-f]{32}$/],
  ['slack_token', /\d/],
  ['gitlab_token', /[\dA-Z]/],
  ['maxmind_key', /^$|[\dA-Z]/],
  ['azure_client_secret', /[\dA-Z]/],
]);

function compileRow(row: string): SecretFormat[] {
  const [type = '', alphabet = 'url', length = '1-1', ...prefixes] = row.split(' ');
  const [shortest = '1', longest = '1'] = length.split('-');
  const shape = SHAPES.get(type);
  const lengthMin = Number.parseInt(shortest, 10);
  const lengthMax = Number.parseInt(longest, 10);
  const bits = ALPHABETS[alphabet as Alphabet];
  return prefixes.map((prefix) => {
    const format = { type, prefix, alphabet: bits, lengthMin, lengthMax };
    return shape === undefined ? format : Object.assign(format, { shape });
  });
}

/** All formats, most specific prefix first among those that share one. */
export const SECRET_FORMATS: readonly SecretFormat[] = ROWS.flatMap(compileRow);
