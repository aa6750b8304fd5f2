/** @module Host names with a meaning of their own: cloud metadata, the machine itself, and DNS services that answer with the address in the name. */
import type { AddressClass } from '@countersign/protocol';
import { readAddress } from './addresses.ts';

const METADATA: ReadonlySet<string> = new Set([
  'metadata.google.internal',
  'metadata.goog',
  'metadata',
  'metadata.internal',
  'instance-data',
  'instance-data.ec2.internal',
  'metadata.azure.com',
  'metadata.azure.internal',
  'metadata.tencentyun.com',
  'metadata.packet.net',
  'metadata.platformequinix.com',
  'metadata.oraclecloud.com',
  'metadata.nicdn.de',
  'metadata.service.consul',
  'rancher-metadata',
  'metadata.lan',
  'api.metadata.cloud.ibm.com',
]);

const LOOPBACK: ReadonlySet<string> = new Set([
  'localhost',
  'localhost.localdomain',
  'localhost4',
  'localhost6',
  'localhost6.localdomain6',
  'ip6-localhost',
  'ip6-loopback',
  'loopback',
  'localtest.me',
  'lvh.me',
  'vcap.me',
  'lacolhost.com',
  'localho.st',
  'localh.st',
  'local.gd',
  'fuf.me',
  'readme.localtest.me',
  'localhost4.localdomain4',
  'ipv6-localhost',
  'ipv6-loopback',
  'host.containers.internal',
  'host.docker.internal',
  'gateway.docker.internal',
  'kubernetes.docker.internal',
]);

/** Suffixes under which every name is the machine itself. */
const LOOPBACK_SUFFIXES = ['.localhost', '.localtest.me', '.lvh.me', '.vcap.me', '.lacolhost.com', '.localho.st', '.fuf.me'] as const;
/** Suffixes under which the name holds the address. */
const WILDCARD_SUFFIXES = ['.nip.io', '.sslip.io', '.xip.io', '.nip.name', '.traefik.me', '.backname.io', '.ip.addr.tools'] as const;
/** Services inside a Kubernetes cluster. */
const CLUSTER = /(?:^|\.)(?:cluster\.local|svc)$|^kubernetes(?:\.default)?$/;

/** What a name means. */
export interface NameMeaning {
  readonly kind: AddressClass;
  readonly wildcard: boolean;
}

const DASHED_V4 = /(?:^|[.-])(\d{1,3})[.-](\d{1,3})[.-](\d{1,3})[.-](\d{1,3})$/;
const HEX_V4 = /(?:^|[.-])([0-9a-f]{8})$/;
/** Longest name before a wildcard suffix that is searched. */
const WILDCARD_NAME_MAX = 128;

function wildcardClass(name: string): AddressClass {
  const short = name.slice(-WILDCARD_NAME_MAX);
  const dashed = DASHED_V4.exec(short);
  if (dashed !== null) return readAddress(dashed.slice(1).join('.'))?.kind ?? 'public';
  const hex = HEX_V4.exec(short);
  if (hex !== null) return readAddress(`0x${hex[1] ?? ''}`)?.kind ?? 'public';
  const six = name.slice(name.lastIndexOf('.') + 1).replaceAll('-', ':');
  return readAddress(six)?.kind ?? 'public';
}

/** Meaning of a lower-case ASCII name without trailing dot; undefined for a name like any other. */
export function meaningOf(host: string): NameMeaning | undefined {
  if (METADATA.has(host)) return { kind: 'metadata', wildcard: false };
  if (LOOPBACK.has(host)) return { kind: 'loopback', wildcard: false };
  for (const suffix of LOOPBACK_SUFFIXES) if (host.endsWith(suffix)) return { kind: 'loopback', wildcard: suffix !== '.localhost' };
  for (const suffix of WILDCARD_SUFFIXES) {
    if (host.endsWith(suffix)) return { kind: wildcardClass(host.slice(0, -suffix.length)), wildcard: true };
  }
  return CLUSTER.test(host) ? { kind: 'private', wildcard: false } : undefined;
}
