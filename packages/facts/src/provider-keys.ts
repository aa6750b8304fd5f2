/**
 * @module Keys without a prefix of their own, told by two things together: the provider's name in the name they are assigned to, and exactly
 * the shape that provider gives its keys. The rows are data: `type`, with `+` where the shape is also that of a hash or an id, so that the name must say
 * key, token or secret too; `alphabet`; `length` or `shortest-longest`; then the words.
 */
import { entropyOf, isPlaceholder } from './placeholders.ts';

const ROWS: readonly string[] = [
  'adafruit_key url 32 adafruit',
  'airtable_key lower 17 airtable',
  'algolia_key+ lower 32 algolia',
  'alchemy_key+ url 32 alchemy',
  'amplitude_key+ hex 32 amplitude',
  'artifactory_key lower 73 artifactory jfrog bintray xray',
  'artifactory_token lower 64 artifactory jfrog bintray xray',
  'asana_client_secret+ lower 32 asana',
  'asana_client_id+ digits 16 asana',
  'assemblyai_key+ hex 32 assemblyai',
  'atlassian_token+ alnum 24 atlassian confluence jira',
  'auth0_secret+ url 64 auth0',
  'azure_key+ hex 32 cognitive azure_openai',
  'beamer_token url 46 beamer',
  'binance_key+ alnum 64 binance',
  'bitbucket_client_id+ lower 32 bitbucket',
  'bitbucket_client_secret url 64 bitbucket',
  'bittrex_key+ lower 32 bittrex',
  'box_key+ alnum 32 box_client boxclient',
  'bugsnag_key+ hex 32 bugsnag',
  'clickhouse_key alnum 42 clickhouse',
  'clojars_key+ lower 60 clojars',
  'cloudflare_key+ url 37-40 cloudflare',
  'codecov_token+ lower 32-36 codecov',
  'cohere_key alnum 40 cohere co_api_key',
  'coinbase_key url 64 coinbase',
  'confluent_key+ alnum 16 confluent',
  'confluent_secret alnum 64 confluent',
  'datadog_key+ lower 40 datadog',
  'datadog_api_key+ hex 32 datadog dd_api_key',
  'deepgram_key+ hex 40 deepgram',
  'discord_client_secret url 32 discord',
  'discord_token+ hex 64 discord',
  'discord_bot_token discordbot 58-73 discord bot_token',
  'discord_client_id+ digits 18 discord',
  'droneci_token+ lower 32 droneci drone_token',
  'dropbox_key+ lower 15 dropbox',
  'etherscan_key+ upper 34 etherscan',
  'etsy_token lower 24 etsy',
  'exa_key+ uuid 36 exa_api',
  'facebook_secret+ hex 32 facebook',
  'facebook_app_token pair 42-45 facebook',
  'fastly_key url 32 fastly',
  'finicity_token+ hex 32 finicity',
  'finicity_secret+ lower 20 finicity',
  'finnhub_token+ lower 20 finnhub',
  'flickr_key+ lower 32 flickr',
  'freshbooks_token hex 64 freshbooks',
  'freemius_key url 32 freemius',
  'gitter_token+ url 40 gitter',
  'gocardless_token sign 40-45 gocardless',
  'hashicorp_password url 20 hashicorp',
  'heroku_token+ uuid 36 heroku',
  'hetzner_token+ alnum 64 hetzner hcloud',
  'hubspot_key+ uuid 36 hubspot',
  'ibm_key+ url 44 ibm_cloud ibmcloud watson',
  'infura_key+ hex 32 infura',
  'intercom_key sign 60 intercom',
  'jenkins_token hex 34 jenkins',
  'kraken_key sign 80-90 kraken',
  'kucoin_key+ hex 24 kucoin',
  'launchdarkly_token sign 40 launchdarkly',
  'linear_client_secret+ hex 32 linear',
  'linkedin_client_id+ lower 14 linkedin',
  'linkedin_secret+ alnum 16 linkedin',
  'linode_token+ hex 64 linode',
  'looker_id+ lower 20 looker',
  'looker_secret+ lower 24 looker',
  'mapbox_key dotted 85-160 mapbox',
  'mattermost_token+ lower 26 mattermost',
  'messagebird_token+ lower 25 messagebird message_bird message-bird',
  'messagebird_client_id+ uuid 36 messagebird',
  'mistral_key+ alnum 32 mistral',
  'mixpanel_key+ hex 32 mixpanel',
  'netlify_token+ sign 40-46 netlify',
  'newrelic_key+ hex 40 newrelic new_relic',
  'new_relic_insights_key url 32 insights_key',
  'nytimes_key sign 32 nytimes newyorktimes',
  'octopus_key+ uuid 36 octopus',
  'okta_token sign 42 okta',
  'opsgenie_key+ uuid 36 opsgenie',
  'pagerduty_key+ url 20 pagerduty',
  'plaid_client_id+ lower 24 plaid',
  'plaid_secret+ lower 30 plaid',
  'postmark_token+ uuid 36 postmark',
  'privateai_key+ lower 32 privateai private_ai',
  'rapidapi_key url 50 rapidapi',
  'rollbar_token+ hex 32 rollbar',
  'sendbird_token+ hex 40 sendbird',
  'segment_key+ alnum 32 segment',
  'sentry_token+ hex 64 sentry',
  'shodan_key+ alnum 32 shodan',
  'snyk_token uuid 36 snyk_token snyk_api snyk_key snyktoken snykapi snyk_oauth snykkey',
  'sonar_token+ hex 40 sonar',
  'sidekiq_credentials hexpair 17 contribsys__com',
  'spotify_secret+ hex 32 spotify',
  'square_secret+ url 43-50 squareup square_access',
  'squarespace_token+ uuid 36 squarespace',
  'stability_key+ alnum 48 stability',
  'sumologic_access_id sumo 14 sumo_ sumo. sumologic sumotoken sumoaccess',
  'sumologic_access_key alnum 64 sumo_ sumo. sumologic sumotoken sumoaccess',
  'telegram_token telegram 43-46 telegram telegr bot_token',
  'todoist_token+ hex 40 todoist',
  'travis_token+ alnum 22 travis',
  'trello_key+ alnum 32 trello',
  'trello_token+ hex 64 trello',
  'twilio_auth_token+ hex 32 twilio',
  'twitch_token+ lower 30 twitch',
  'twitter_key+ alnum 25 twitter',
  'twitter_secret+ lower 50 twitter',
  'twitter_access_token tweet 40-51 twitter',
  'twitter_access_secret+ lower 45 twitter',
  'upstash_token+ base64 40-64 upstash',
  'vonage_secret+ alnum 16 vonage nexmo',
  'vultr_key+ upper 36 vultr',
  'weights_and_biases_key+ hex 40 wandb',
  'yandex_key+ url 40 yandex',
  'zendesk_secret lower 40 zendesk',
  'zoho_secret+ hex 42 zoho',
];

const CHARS: Readonly<Record<string, string>> = {
  digits: '[0-9]',
  hex: '[0-9a-f]',
  lower: '[a-z0-9]',
  upper: '[A-Z0-9]',
  alnum: '[A-Za-z0-9]',
  url: '[A-Za-z0-9_-]',
  sign: '[A-Za-z0-9_=/+.-]',
  dotted: '[A-Za-z0-9_.-]',
  base64: '[A-Za-z0-9+/=]',
};

/** Shapes that one alphabet does not say. */
const SHAPES: Readonly<Record<string, RegExp>> = {
  uuid: /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i,
  pair: /^\d{15,16}\|[\w-]{27}$/,
  discordbot: /^[MNO][A-Za-z0-9]{23,25}\.[\w-]{6}\.[\w-]{27,38}$/,
  hexpair: /^[0-9a-f]{8}:[0-9a-f]{8}$/,
  sumo: /^su[A-Za-z0-9]{12}$/,
  telegram: /^\d{8,10}:AA[\w-]{33}$/,
  tweet: /^\d{15,25}-[A-Za-z0-9]{20,40}$/,
};

interface ProviderKey {
  readonly type: string;
  readonly shape: RegExp;
  readonly lengthMin: number;
  readonly lengthMax: number;
  readonly named: boolean;
}

function compileRow(row: string): readonly (readonly [string, ProviderKey])[] {
  const [type = '', alphabet = '', length = '', ...words] = row.split(' ');
  const [shortest = '0', longest = shortest] = length.split('-');
  const shape = SHAPES[alphabet] ?? new RegExp(`^${CHARS[alphabet] ?? '[]'}{${shortest},${longest}}$`);
  const named = type.endsWith('+');
  const key = {
    type: named ? type.slice(0, -1) : type,
    shape,
    lengthMin: Number.parseInt(shortest, 10),
    lengthMax: Number.parseInt(longest, 10),
    named,
  };
  return words.map((word) => [word, key] as const);
}

const KEYS: ReadonlyMap<string, readonly ProviderKey[]> = keysByWord();

function keysByWord(): ReadonlyMap<string, readonly ProviderKey[]> {
  const keys = new Map<string, ProviderKey[]>();
  for (const [word, key] of ROWS.flatMap(compileRow)) {
    const list = keys.get(word) ?? [];
    list.push(key);
    keys.set(word, list);
  }
  return keys;
}

/** The rows, for those who count or test them. */
export const PROVIDER_ROWS: readonly string[] = ROWS;

/** Words that say whose key is assigned, lower case. */
export const PROVIDER_WORDS: readonly string[] = [...KEYS.keys()];

const NAMES_A_KEY = /key|token|secret|passw|auth|cred|login|client|\bid\b|_id/;
const ENTROPY_MIN = 2.6;
/** Digits and pairs of small numbers repeat by chance. */
const DIGITS_ENTROPY_MIN = 2;

/** Shapes of two parts say enough to stand right after the word. */
const TWO_PARTS: ReadonlySet<RegExp> = new Set(
  [SHAPES['pair'], SHAPES['telegram'], SHAPES['tweet']].filter((shape) => shape !== undefined),
);

/** A value and the name it is given to. */
export interface NamedKey {
  /** The provider's word in the name. */
  readonly word: string;
  /** The name from the word on, and what stands between it and the value, lower case. */
  readonly label: string;
  readonly value: string;
  /** False where the value only follows. */
  readonly assigned: boolean;
}

/** The type of key that `value` is; undefined where it is none of the provider's. */
export function providerKeyOf({ word, label, value, assigned }: NamedKey): string | undefined {
  for (const key of KEYS.get(word) ?? []) {
    if (value.length < key.lengthMin || value.length > key.lengthMax || !key.shape.test(value)) continue;
    if ((key.named && !NAMES_A_KEY.test(label)) || !(assigned || TWO_PARTS.has(key.shape))) continue;
    if (/^\d+$/.test(value) ? entropyOf(value) < DIGITS_ENTROPY_MIN : !isRandom(value)) continue;
    return key.type;
  }
  return undefined;
}

function isRandom(value: string): boolean {
  return /\d/.test(value) && entropyOf(value) >= ENTROPY_MIN && !isPlaceholder(value);
}
