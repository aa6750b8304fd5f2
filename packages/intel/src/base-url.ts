/** @module Where a source is asked: one host, over https, or over http on this machine. */
import { err, type Fault, ok, type Result } from '@countersign/kernel';

export interface BaseUrl {
  readonly secure: boolean;
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number;
  /** Begins with `/` or is empty; never ends with one. */
  readonly path: string;
}

const LOOPBACK = /^(?:127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\]|localhost)$/;

function refused(message: string): Result<never, Fault> {
  return err({ code: 'intel_base_url', message, hint: 'write it as `https://HOST/PATH`' });
}

/** Reads a base URL: no credentials, no query, no fragment; plain http only where nothing leaves the machine. */
export function readBaseUrl(text: string): Result<BaseUrl, Fault> {
  const url = URL.parse(text);
  if (url === null) return refused('the base URL is not a URL');
  const { protocol, hostname, port, username, password, search, hash, pathname } = url;
  if (username !== '' || password !== '') return refused('the base URL holds credentials');
  if (search !== '' || hash !== '' || text.includes('?') || text.includes('#')) return refused('the base URL holds a query or a fragment');
  const secure = protocol === 'https:';
  if (!secure && !(protocol === 'http:' && LOOPBACK.test(hostname))) return refused('the base URL is neither https nor http on this machine');
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return ok({ secure, host, port: port === '' ? (secure ? 443 : 80) : Number(port), path: pathname.replace(/\/+$/, '') });
}
