/**
 * @module What markup would do in a page: run a script, load a page or an object, lead to a script, bind foreign data. Read from tags and
 * attributes, whatever case, blanks, quotes or entities they are written with (entities are a layer of the decode funnel).
 */
import { attributesBehind, readTags, type Attribute, type Tag } from './markup-tokens.ts';
import type { CodeReading, CodeText } from './code-reading.ts';
import { wordSet } from './word-set.ts';

const URL_ATTRIBUTES = wordSet(
  'href src action formaction data xlink:href code codebase background poster lowsrc dynsrc values to from by srcset ping manifest folder cite longdesc profile classid usemap style',
);
/** Elements that bring a page, a program or a sheet with them, and the attributes that say from where. */
const LOADERS = wordSet('iframe frame frameset embed object applet base portal bgsound layer ilayer link xml import fencedframe');
const SOURCES = wordSet('src data href code codebase srcdoc archive classid implementation xlink:href');
const FOREIGN = wordSet('svg math foreignobject animate animatemotion animatetransform set use maction mtext');
const BINDINGS = wordSet('datasrc datafld dataformatas');
const IE_ELEMENTS = wordSet('import ?import ?xml:namespace ?xml-stylesheet v:vmlframe :vmlframe t:set t:animate xml:namespace isindex');
/** Elements that somebody would write with blanks inside the name to get past a filter. */
const SPELLED = wordSet('form dialog script iframe object embed input button image style video audio frame');
const EVENT =
  /^on(?:load|error|click|mouse|focus|blur|key|submit|change|toggle|animation|begin|pointer|copy|paste|input|scroll|start|end|repeat|wheel|drag|drop|hash|message|page|resize|select|unload|before|after|dbl|context|help|abort|can|play|finish|bounce|transition|reset|search|show|touch|cut|aux|activate|deactivate|move|prop|ready|time|vis|invalid|pause|seek|storage|o[nf]|popstate|progress|suspend|volume|wait|zoom|layout|lose|row|data|filter|control|media|open|close|out|resume|reverse|stop|sync|url|webkit|moz|ms|rate|content|cell|gesture|orient|rtc|security|fullscreen|got|lost|slot|pick|form)[a-z]{0,40}$/;
function isEvent(name: string): boolean {
  return name.startsWith('on') && EVENT.test(name);
}

const SCRIPT_URL = /^(?:javascript|vbscript|livescript|mocha|jscript):/;
const DATA_URL = /^data:(?:text\/(?:html|xml|javascript|css|vbscript)|image\/svg\+xml|application\/(?:xhtml\+xml|xml|javascript)|,|;)/;
const STYLE_SCRIPT = /expression\(|-moz-binding|behaviou?r:|@import|javascript:|binding:url|url\(["']?data:text|\\[0-9a-f]{2}/;

/** A value without what browsers skip in URLs and style sheets: white space, control characters, comments of CSS. */
function squeeze(value: string): string {
  let squeezed = value.replaceAll(/[\s\u0000-\u0020\u00a0\u200b]/g, '').toLowerCase();
  // A backslash before a letter that is no hexadecimal digit says nothing in a style sheet.
  squeezed = squeezed.replaceAll(/\\(?=[g-z@])/g, '');
  if (squeezed.includes('/*')) squeezed = squeezed.replaceAll(/\/\*[^*]{0,64}\*\//g, '');
  return squeezed;
}

function urlFeature(value: string): string | undefined {
  if (!value.slice(0, 256).includes(':')) return undefined;
  const url = squeeze(value.slice(0, 256));
  if (SCRIPT_URL.test(url)) return 'script-url';
  if (DATA_URL.test(url)) return 'data-url';
  return undefined;
}

/** What one attribute does in any element. JSX gives a function in braces, not a script in quotes. */
function attributeFeatures({ name, value }: Attribute, into: Set<string>): void {
  if (value === undefined) return;
  if (isEvent(name) && !value.startsWith('{')) into.add('handler');
  if (name === 'srcdoc') into.add('srcdoc');
  if (BINDINGS.has(name)) into.add('binding');
  if (URL_ATTRIBUTES.has(name)) {
    const feature = urlFeature(value);
    if (feature !== undefined) into.add(feature);
  }
  if (name === 'style' && STYLE_SCRIPT.test(squeeze(value))) into.add('style-script');
  if (name === 'xlink:href' && /^(?:https?:)?\/\//.test(squeeze(value))) into.add('foreign-link');
}

const REFRESHES = /^(?:refresh|link|set-cookie|cookie)$/;

const SERVER_SIDE = /^!--#(?:set|echo|exec|include|config|printenv|if)$/;

function metaFeatures(tag: Tag, into: Set<string>): void {
  for (const { name, value = '' } of tag.attributes) {
    const said = squeeze(value);
    if (name === 'http-equiv' && REFRESHES.test(said)) into.add('refresh');
    if (name === 'content' && (/(?:^|;)(?:url=)?['"]?(?:javascript|data):/.test(said) || /^\d*;url=/.test(said))) into.add('refresh');
  }
}

type TagProbe = (tag: Tag, name: string, text: string) => boolean;

/** What a tag does by its name, and by which attributes it has. */
const TAG_PROBES: readonly (readonly [feature: string, probe: TagProbe])[] = [
  ['script', (_, name) => /^(?:[\w-]{1,16}:)?script\b/.test(name)],
  ['loads', (tag, name) => LOADERS.has(name) && tag.attributes.some((attribute) => SOURCES.has(attribute.name))],
  ['handler', (tag, name) => FOREIGN.has(name) && tag.attributes.some((attribute) => isEvent(attribute.name))],
  ['server-side', (_, name) => SERVER_SIDE.test(name)],
  ['behaviour', (_, name) => IE_ELEMENTS.has(name)],
  ['spelled', (tag, name, text) => SPELLED.has(name) && text.slice(tag.start + 1, tag.start + name.length).includes(' ')],
];

function tagFeatures(tag: Tag, text: string, into: Set<string>): void {
  const name = tag.name.startsWith('/') ? tag.name.slice(1) : tag.name;
  for (const [feature, probe] of TAG_PROBES) if (probe(tag, name, text)) into.add(feature);
  if (name === 'meta') metaFeatures(tag, into);
  for (const attribute of tag.attributes) attributeFeatures(attribute, into);
}

/** A style sheet stands between its tags: its text is looked at as far as the next tag. */
function sheetFeatures(tag: Tag, text: string, into: Set<string>): void {
  if (tag.name !== 'style') return;
  const end = text.indexOf('<', tag.end);
  const sheet = text.slice(tag.end - 1, end === -1 ? tag.end + 2048 : Math.min(end, tag.end + 2048));
  if (/expression\(|-moz-binding|behaviou?r:|@import|javascript:/.test(squeeze(sheet))) into.add('style-script');
}

interface Found {
  readonly features: Set<string>;
  start: number;
  end: number;
}

/** A page that takes the quote for text, as in `<style>`, sees the tags that stand in a value. */
function hiddenFeatures(tag: Tag, into: Set<string>): number {
  let steps = 0;
  for (const { value } of tag.attributes) {
    if (value?.includes('<') !== true) continue;
    const inner = readTags(value);
    for (const hidden of inner.tags) tagFeatures(hidden, value, into);
    steps += inner.steps;
  }
  return steps;
}

function readElements(text: string, found: Found): number {
  let steps = 0;
  for (let at = 0; at < text.length;) {
    const { tags, next, steps: spent } = readTags(text, at);
    steps += spent;
    for (const tag of tags) {
      const before = found.features.size;
      tagFeatures(tag, text, found.features);
      sheetFeatures(tag, text, found.features);
      steps += hiddenFeatures(tag, found.features) + tag.attributes.length;
      if (before === 0 && found.features.size > 0) [found.start, found.end] = [tag.start, tag.end];
    }
    at = next;
  }
  return steps;
}

const CALLS = /^\s{0,8}["'`]?\s{0,8}\w{1,24}\s{0,4}[(`]/i;
const RUNS = /^\s{0,8}["'`]?\s{0,8}(?:\w{1,24}\s{0,4}[(`=.]|javascript:|\()/i;

/** `x" autofocus onfocus=go() y="`: a quote closed, and a handler of the element around it. */
function breaksOut(attributes: readonly Attribute[]): boolean {
  return attributes.some(({ name, value }, at) => {
    if (value === undefined) return false;
    if (isEvent(name)) return at < 2 || value === '' || RUNS.test(value);
    return at < 2 && /^(?:formaction|srcdoc|style|xlink:href)$/.test(name) && (name !== 'style' || STYLE_SCRIPT.test(squeeze(value)));
  });
}

/** `x onerror=go(1)>`: in a value without quotes a blank is enough. */
function standsInTag(text: string): boolean {
  const { attributes } = attributesBehind(text, '');
  return attributes.some(({ name, value }) => value !== undefined && isEvent(name) && CALLS.test(value));
}

/** What a whole value is: a script or a page in a URL, or a binding of a style sheet. */
function wholeFeatures({ text, lower }: CodeText, into: Set<string>): void {
  const feature = urlFeature(lower);
  const script = /^[^:]{0,64}:\s*(?:$|\S.*[(=`%/&;[]|[(=`%/&;[])/s;
  if (feature !== undefined && (feature !== 'script-url' || script.test(text.slice(0, 512)))) into.add(feature);
  if (lower.includes('-moz-binding') && /-moz-binding\s{0,8}:/.test(lower)) into.add('style-script');
}

const MAY_BREAK = /\bon[a-z]{3,40}[\s\u0000-\u001f/]{0,8}=|formaction|srcdoc|style\s{0,8}=/;

function breakFeatures(text: string, into: Set<string>): number {
  let steps = 0;
  if (standsInTag(text)) into.add('breaks-out');
  for (const quote of ['"', "'", '`']) {
    if (!text.includes(quote)) continue;
    const behind = attributesBehind(text, quote);
    steps += behind.steps;
    if (breaksOut(behind.attributes)) into.add('breaks-out');
  }
  return steps;
}

/** Markup in a text, by what it would do. Linear. */
export function readMarkup(code: CodeText): CodeReading {
  const { text, lower } = code;
  const found: Found = { features: new Set(), start: 0, end: text.length };
  let steps = text.length;
  if (text.includes('<')) steps += readElements(text, found);
  if (text.includes(':')) wholeFeatures(code, found.features);
  if (text.includes('=') && MAY_BREAK.test(lower)) steps += breakFeatures(text, found.features);
  return { features: [...found.features].sort(), start: found.start, end: found.end, steps };
}
