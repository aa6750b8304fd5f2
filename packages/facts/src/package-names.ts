/**
 * @module Names of packages that are about to be installed, and the well-known names they are one slip away from. A name that is well
 * known itself resembles nothing; the lists hold what is installed most, and what really has a name close to it.
 */
import { wordSet } from './word-set.ts';

/** A package that a command line names. */
export interface NamedPackage {
  readonly name: string;
  readonly registry: 'npm' | 'python' | 'cargo' | 'gem';
}

type Registry = NamedPackage['registry'];

/** Verbs that fetch packages and run what is in them. */
const INSTALLS: ReadonlyMap<string, Registry> = new Map([
  ['npm install', 'npm'],
  ['npm exec', 'npm'],
  ['npm create', 'npm'],
  ['npm global add', 'npm'],
  ['npx', 'npm'],
  ['pip install', 'python'],
  ['pip download', 'python'],
  ['pip run', 'python'],
  ['uv install', 'python'],
  ['uvx', 'python'],
  ['poetry add', 'python'],
  ['cargo install', 'cargo'],
  ['cargo add', 'cargo'],
  ['gem install', 'gem'],
]);

const WELL_KNOWN: Readonly<Record<Registry, ReadonlySet<string>>> = {
  npm: wordSet(
    'react react-dom express lodash axios chalk commander typescript webpack eslint prettier mocha vitest nuxt angular svelte jquery moment',
    'dayjs date-fns dotenv mongoose mongodb sequelize prisma redis ioredis socket.io helmet body-parser cookie-parser jsonwebtoken bcrypt',
    'bcryptjs passport nodemon concurrently cross-env rimraf minimist yargs inquirer async bluebird underscore redux react-redux react-router',
    'react-router-dom styled-components tailwindcss bootstrap postcss autoprefixer babel-core babel-loader css-loader style-loader node-fetch',
    'request superagent cheerio puppeteer playwright electron discord.js telegraf openai langchain graphql apollo-server mysql mysql2 sqlite3',
    'better-sqlite3 winston morgan multer sharp nodemailer validator colors debug semver fs-extra esbuild rollup turbo lerna husky lint-staged',
    'ts-node ethers hardhat firebase aws-sdk stripe fastify handlebars crypto-js',
  ),
  python: wordSet(
    'requests numpy pandas scipy matplotlib scikit-learn tensorflow torch torchvision keras transformers flask django fastapi uvicorn gunicorn',
    'celery redis sqlalchemy psycopg2 psycopg2-binary pymongo boto3 botocore awscli urllib3 certifi charset-normalizer setuptools wheel',
    'virtualenv pytest coverage black flake8 pylint isort pydantic python-dateutil pyyaml jinja2 markupsafe click typer pillow opencv-python',
    'beautifulsoup4 selenium scrapy playwright httpx aiohttp websockets cryptography pycryptodome paramiko pyjwt python-dotenv openai anthropic',
    'langchain tiktoken huggingface-hub datasets sentence-transformers accelerate jupyter notebook ipython seaborn plotly streamlit gradio spacy',
    'gensim xgboost lightgbm docker kubernetes ansible fabric colorama loguru alembic marshmallow discord.py python-telegram-bot protobuf grpcio',
    'google-api-python-client azure-identity psutil pexpect simplejson attrs packaging tabulate',
  ),
  cargo: wordSet(
    'serde serde_json tokio reqwest anyhow thiserror clippy hyper tracing rayon chrono itertools futures bytes regex rustls diesel',
  ),
  gem: wordSet(
    'rails nokogiri devise sidekiq rspec bundler sinatra rubocop capistrano faraday jekyll puppet fastlane cocoapods activerecord',
  ),
};

/** Packages with a name of their own that lies close to a well-known one. */
const OWN_NAME: Readonly<Record<Registry, ReadonlySet<string>>> = {
  npm: wordSet(
    'angular2 args aws-cdk bcrypto color colord crypt crypto-es crypto-ts csv-loader dargs enquirer fs.extra gaxios graphiql is-node jslint',
    'mquery mssql openapi pargs preact preact-redux preact-router prism ps-node react-router5 reds reqwest rsync scrypt scss-loader server',
    'sqlite strip telegram tslint ttypescript vargs vasync wargs mongo mysql3 cookies router redis2 posthtml vuex pino',
  ),
  python: wordSet(
    'attr beautifulsoup boto bpython cattrs crick ctransformers dataset djongo dydantic fabric2 fabric3 fastai grequests gsutil httpr hyper',
    'ipytest mocker myjwt ngboost openapi psycopg psycopg-binary pyaml pycryptodomex pylink pymantic scapy scipp slack spython torchx unicorn',
    'usort vyper websocket willow xoto3 discord-py pytorch pymango keras2 torchvision2',
  ),
  cargo: wordSet('serde-json tokyo byte regexp rustl'),
  gem: wordSet('rail respec sinatra-rb'),
};
/** Shorter names lie close to one another by nature. */
const CHARS_MIN = 5;

/** Whether two different words are one insertion, deletion, replacement or exchange of neighbours apart. Linear: both ends are compared once. */
export function isOneSlip(left: string, right: string): boolean {
  const [short, long] = left.length <= right.length ? [left, right] : [right, left];
  if (short === long || long.length - short.length > 1) return false;
  let at = 0;
  while (at < short.length && short[at] === long[at]) at += 1;
  if (short.length < long.length) return short.slice(at) === long.slice(at + 1);
  if (short.slice(at + 1) === long.slice(at + 1)) return true;
  return short[at] === long[at + 1] && short[at + 1] === long[at] && short.slice(at + 2) === long.slice(at + 2);
}

const ADDRESS = /[/\\:]|^\.|\.(?:whl|tgz|gz|zip|gem)$/;
const SPEC = /^([A-Za-z0-9][\w.-]{0,127})(?:\[[^\]]{0,64}\])?(?:@[^/]{0,64}|(?:[=<>!~]=?|;).{0,64})?$/;

/** The name of what is installed, without version and extras; undefined for an address or a file. */
function nameOf(operand: string): string | undefined {
  return ADDRESS.test(operand) ? undefined : SPEC.exec(operand)?.[1]?.toLowerCase();
}

/** Packages that a call names, in order. */
export function packageNames(verb: string, operands: readonly string[]): readonly NamedPackage[] {
  const registry = INSTALLS.get(verb);
  if (registry === undefined) return [];
  const found: NamedPackage[] = [];
  for (const operand of operands) {
    const name = nameOf(operand);
    if (name !== undefined) found.push({ name: registry === 'python' ? name.replaceAll('_', '-') : name, registry });
  }
  return found;
}

/** Well-known names by length: a slip changes it by one at most. */
function byLength(names: ReadonlySet<string>): ReadonlyMap<number, readonly string[]> {
  const lists = new Map<number, string[]>();
  for (const name of names) if (name.length >= CHARS_MIN) lists.set(name.length, [...(lists.get(name.length) ?? []), name]);
  return lists;
}

const BY_LENGTH: Readonly<Record<Registry, ReadonlyMap<number, readonly string[]>>> = {
  npm: byLength(WELL_KNOWN.npm),
  python: byLength(WELL_KNOWN.python),
  cargo: byLength(WELL_KNOWN.cargo),
  gem: byLength(WELL_KNOWN.gem),
};

/** Well-known names that are as long as a name, or one letter shorter or longer. */
function neighbours(registry: Registry, name: string): readonly string[] {
  const lists = BY_LENGTH[registry];
  return [-1, 0, 1].flatMap((more) => lists.get(name.length + more) ?? []);
}

/** Well-known names that some of the packages are one slip away from. */
export function resembled(packages: readonly NamedPackage[]): readonly string[] {
  const found = new Set<string>();
  for (const { name, registry } of packages) {
    if (name.length < CHARS_MIN || WELL_KNOWN[registry].has(name) || OWN_NAME[registry].has(name)) continue;
    for (const other of neighbours(registry, name)) if (isOneSlip(name, other)) found.add(other);
  }
  return [...found];
}
