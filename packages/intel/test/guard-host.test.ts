import { afterEach, describe, expect, test } from 'vitest';
import { fenceModule } from '../src/fenced-module.ts';
import { type GuardHost, type HostedGuard, openGuardHost } from '../src/guard-host.ts';
import { INTEL_LIMITS } from '../src/limits.ts';
import { StillWorld } from './local-source.ts';
import {
  capability,
  DROP,
  ECHO,
  FOREVER,
  guardModule,
  type GuardParts,
  i32,
  IMPORTS,
  importOf,
  output,
  sayingModule,
  section,
  TRAP,
} from './wasm-module.ts';

const open: GuardHost[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((host) => host.close()));
});

interface Bed {
  readonly host: GuardHost;
  readonly world: StillWorld;
  readonly check: (input?: string) => Promise<string | undefined>;
}

function bed(module: Uint8Array, change: Partial<HostedGuard> & { readonly memoryMb?: number } = {}): Bed {
  const fenced = fenceModule(module, change.memoryMb ?? 1);
  if (!fenced.ok) throw new Error(fenced.error.message);
  const world = new StillWorld();
  const host = openGuardHost({ granted: [], timeoutMs: 1000, cpuMs: 60_000, ...change, module: fenced.value }, world);
  open.push(host);
  const never = new AbortController().signal;
  return { host, world, check: (input = '{}') => host.check({ action: 'mcp_tool', input }, never) };
}

/** Until the thread is up; then time that passes falls on the call and not on the start. */
async function started(one: Bed): Promise<Bed> {
  expect(await one.host.start()).toEqual({ ok: true, value: undefined });
  return one;
}

const code = (why: string): object => ({ code: why });

describe('POL-190 a guard in WebAssembly', () => {
  test('is given the action and answers', async () => {
    const { check } = bed(guardModule({ check: ECHO }));
    expect(await check('{"ü":1}')).toBe('{"ü":1}');
  });

  test('says that it does not handle an action', async () => {
    expect(await bed(guardModule({ handles: i32(0) })).check()).toBeUndefined();
  });

  test('remembers nothing: every call has an instance of its own', async () => {
    // Counts in its memory at 8, and writes a letter of that count.
    const count = [...i32(8), ...i32(8), 0x28, 2, 0, ...i32(1), 0x6a, 0x36, 2, 0];
    const letter = [...i32(16), ...i32(8), 0x28, 2, 0, ...i32(64), 0x6a, 0x3a, 0, 0];
    const { check } = bed(guardModule({ check: [...count, ...letter, ...output(16, 1)] }));
    expect([await check(), await check(), await check()]).toEqual(['A', 'A', 'A']);
  });

  test('is given what is larger than its memory, and nothing of its own is overwritten', async () => {
    const { check } = bed(sayingModule('{"allowed":true}'));
    expect(await check(`"${'x'.repeat(500_000)}"`)).toBe('{"allowed":true}');
  });

  test('that cannot grow gets it where the original puts it, or fails', async () => {
    const fixed = bed(guardModule({ memory: [1, 1, 1], check: ECHO }));
    expect(await fixed.check('{"fits":true}')).toBe('{"fits":true}');
    await expect(fixed.check('x'.repeat(65_536 - 8192 + 1))).rejects.toMatchObject(code('guard_memory_exceeded'));
  });

  test('many calls, one after the other, in the order in which they came', async () => {
    const { check } = bed(guardModule({ check: ECHO }));
    const asked = Array.from({ length: INTEL_LIMITS.guardCallsMax }, (_, i) => String(i));
    const answers = asked.map(check);
    await expect(check('one more')).rejects.toMatchObject(code('guard_busy'));
    expect(await Promise.all(answers)).toEqual(asked);
    expect(await check('later')).toBe('later');
  });
});

describe('POL-191 capabilities', () => {
  const asks = (kind: number): Uint8Array => sayingModule('{"allowed":true}', { check: capability(kind) });

  test.each([0, 1, 2, 3, 4])('%i is there where it was granted, and otherwise the call fails', async (kind) => {
    expect(await bed(asks(kind), { granted: [kind] }).check()).toBe('{"allowed":true}');
    await expect(bed(asks(kind), { granted: [(kind + 1) % 5] }).check()).rejects.toMatchObject(code('guard_capability_denied'));
  });

  test('one that nobody knows is never there', async () => {
    await expect(bed(asks(5), { granted: [0, 1, 2, 3, 4] }).check()).rejects.toMatchObject(code('guard_capability_denied'));
    await expect(bed(asks(-1), { granted: [0, 1, 2, 3, 4] }).check()).rejects.toMatchObject(code('guard_capability_denied'));
  });
});

describe('POL-192 a guard that fails denies', () => {
  const wrong: readonly (readonly [string, GuardParts, string])[] = [
    ['a trap', { check: TRAP }, 'guard_trap'],
    ['a trap in handles', { handles: TRAP }, 'guard_trap'],
    ['a trap in init', { init: TRAP }, 'guard_trap'],
    ['recursion without end', { check: [...i32(0), ...i32(0), 0x10, 4, ...DROP] }, 'guard_trap'],
    ['another version', { init: i32(2) }, 'guard_abi_mismatch'],
    ['a status', { check: [...i32(7), 0x0f] }, 'guard_trap'],
    ['no output', {}, 'guard_bad_output'],
    ['an output outside of its memory', { check: output(65_530, 70_000 * 4) }, 'guard_bad_output'],
    ['an output at the end of the numbers', { check: output(-1, 1) }, 'guard_bad_output'],
    ['an output of a length below zero', { check: output(0, -1) }, 'guard_bad_output'],
    [
      'an output that is not UTF-8',
      { data: { 64: 'ok' }, check: [...i32(64), ...i32(0xff), 0x3a, 0, 0, ...output(64, 2)] },
      'guard_bad_output',
    ],
    ['a good output and a bad one', { check: [...output(0, 2), ...output(-1, 2)] }, 'guard_bad_output'],
    ['an output in init alone', { init: [...output(0, 2), ...i32(1)] }, 'guard_bad_output'],
  ];

  test.each(wrong)('%s', async (_name, parts, why) => {
    const one = bed(guardModule(parts));
    await expect(one.check()).rejects.toMatchObject(code(why));
    // And again: what went wrong leaves the thread as it was.
    await expect(one.check()).rejects.toMatchObject(code(why));
  });

  test('an output of so many bytes, and one more', async () => {
    const max = INTEL_LIMITS.guardOutputBytesMax;
    expect((await bed(guardModule({ check: output(0, max) })).check())?.length).toBe(max);
    await expect(bed(guardModule({ check: output(0, max + 1) })).check()).rejects.toMatchObject(code('guard_bad_output'));
  });

  test('memory that grows without end is stopped at its maximum', async () => {
    // Grows by a page until it cannot, then says how it went.
    const grow = [0x03, 0x40, ...i32(1), 0x40, 0, ...i32(-1), 0x47, 0x0d, 0, 0x0b];
    const letter = [...i32(0), 0x3f, 0, ...i32(32), 0x6a, 0x3a, 0, 0];
    const { check } = bed(guardModule({ check: [...grow, ...letter, ...output(0, 1)] }), { memoryMb: 1 });
    // 1 MB are 16 pages.
    expect(await check()).toBe(String.fromCodePoint(32 + 16));
  });

  test('a call that does not end is killed, and the next one finds a thread', async () => {
    // Runs for ever where it is given more than two bytes.
    const maybe = [0x20, 1, ...i32(2), 0x4b, 0x04, 0x40, ...FOREVER, 0x0b];
    const one = await started(bed(guardModule({ check: [...maybe, ...ECHO] })));
    const stuck = one.check('{ }');
    const waiting = one.check('{}');
    one.world.pass(999);
    expect(one.world.pending).toBe(2);
    one.world.pass(1);
    const late = { status: 'rejected', reason: code('guard_timeout') };
    expect(await Promise.allSettled([stuck, waiting])).toMatchObject([late, late]);
    expect(await one.check('{}')).toBe('{}');
  });

  test('whoever asked lets go: the call is killed too', async () => {
    const one = await started(bed(guardModule({ check: FOREVER })));
    const controller = new AbortController();
    const stuck = one.host.check({ action: 'mcp_tool', input: '{}' }, controller.signal);
    controller.abort();
    await expect(stuck).rejects.toMatchObject(code('guard_timeout'));
    await expect(one.host.check({ action: 'mcp_tool', input: '{}' }, controller.signal)).rejects.toMatchObject(code('guard_timeout'));
    expect(one.world.pending).toBe(0);
  });

  test('a call that used more of the processor than it may', async () => {
    // Counts to fifty million in its memory.
    const next = [...i32(0), ...i32(0), 0x28, 2, 0, ...i32(1), 0x6a, 0x36, 2, 0];
    const count = [0x03, 0x40, ...next, ...i32(0), 0x28, 2, 0, ...i32(50_000_000), 0x48, 0x0d, 0, 0x0b];
    const module = guardModule({ check: [...count, ...ECHO] });
    await expect(bed(module, { cpuMs: 1 }).check()).rejects.toMatchObject(code('guard_cpu_exceeded'));
    expect(await bed(module).check()).toBe('{}');
  });

  test('one that was closed answers whoever waits, and whoever comes late, and starts for nobody', async () => {
    const one = await started(bed(guardModule({ check: ECHO })));
    const waiting = [one.check('1'), one.check('2')];
    await one.host.close();
    expect(await Promise.all(waiting)).toEqual(['1', '2']);
    expect(await one.check('late')).toBe('late');
    expect(await one.host.start()).toMatchObject({ ok: false, error: { code: 'guard_closed' } });
  });
});

describe('POL-193 a module that is no guard does not start', () => {
  const wrong: readonly (readonly [string, GuardParts, RegExp])[] = [
    [
      'an import that nobody declared',
      { imports: [...IMPORTS, importOf('wasi_snapshot_preview1', 'fd_write', 0)] },
      /imports something other/,
    ],
    ['another function of ours', { imports: [...IMPORTS, importOf('clawdstrike_host', 'read_file', 0)] }, /imports something other/],
    ['no memory that is exported', { without: ['memory'] }, /does not export `memory`/],
    ['no init', { without: ['clawdstrike_guard_init'] }, /clawdstrike_guard_init/],
    ['no handles', { without: ['clawdstrike_guard_handles'] }, /clawdstrike_guard_handles/],
    ['no check', { without: ['clawdstrike_guard_check'] }, /clawdstrike_guard_check/],
    ['code that does not validate', { check: [0x6a] }, /does not compile/],
  ];

  test.each(wrong)('%s', async (_name, parts, message) => {
    const one = bed(guardModule(parts));
    const start = await one.host.start();
    expect(start).toMatchObject({ ok: false, error: { code: 'guard_module' } });
    expect(start.ok ? '' : start.error.message).toMatch(message);
    await expect(one.check()).rejects.toMatchObject(code('guard_died'));
  });

  const unread: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ['no module', Uint8Array.from([1, 2, 3, 4]), /no WebAssembly module/],
    ['nothing', new Uint8Array(), /ends too early/],
    ['a section that is cut', guardModule().subarray(0, 30), /ends too early/],
    ['no memory', guardModule({ sections: { memory: [] } }), /no memory of its own/],
    ['two memories', guardModule({ sections: { memory: section(5, [0, 1], [0, 1]) } }), /more than one memory/],
    [
      'a memory section twice',
      guardModule({ sections: { memory: [...section(5, [0, 1]), ...section(5, [0, 1])] } }),
      /no memory of its own/,
    ],
    ['a shared memory', guardModule({ memory: [3, 1, 2] }), /shared/],
    ['a memory of 64 bits', guardModule({ memory: [4, 1] }), /64 bits/],
    ['more memory than allowed', guardModule({ memory: [0, 17] }), /larger than allowed/],
    ['a maximum below the minimum', guardModule({ memory: [1, 2, 1] }), /below its minimum/],
    ['a structure of its own', guardModule({ sections: { types: section(1, [0x5f, 0]) } }), /other than functions/],
    ['a function of references', guardModule({ sections: { types: section(1, [0x60, 1, 0x64, 0x6e, 0]) } }), /other than functions/],
    ['a table that is too large', guardModule({ sections: { table: section(4, [0x70, 0, 0x81, 0x80, 0x04]) } }), /table is larger/],
    ['a table of another kind', guardModule({ sections: { table: section(4, [0x40, 0, 0x70, 0, 1]) } }), /kind that is not read/],
    ['a number that does not end', guardModule({ memory: [0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01] }), /too long/],
    ['more behind the memory', guardModule({ sections: { memory: [5, 4, 1, 0, 1, 9] } }), /longer than what it holds/],
  ];

  test.each(unread)('%s is not even compiled', (_name, module, message) => {
    const fenced = fenceModule(module, 1);
    expect(fenced).toMatchObject({ ok: false, error: { code: 'guard_module' } });
    expect(fenced.ok ? '' : fenced.error.message).toMatch(message);
  });

  test('modules and parts of so many, and one more', () => {
    const module = guardModule({ memory: [0, 16] });
    expect(fenceModule(module, 1).ok).toBe(true);
    const custom = (bytes: number): Uint8Array => filled(module, bytes - module.length - 6);
    expect(fenceModule(custom(INTEL_LIMITS.moduleBytesMax), 1).ok).toBe(true);
    expect(fenceModule(custom(INTEL_LIMITS.moduleBytesMax + 1), 1)).toMatchObject({ ok: false, error: { code: 'guard_module' } });
    const table = (elements: number): Uint8Array => guardModule({ sections: { table: section(4, [0x70, 0, ...i32leb(elements)]) } });
    expect(fenceModule(table(INTEL_LIMITS.tableElementsMax), 1).ok).toBe(true);
    expect(fenceModule(table(INTEL_LIMITS.tableElementsMax + 1), 1).ok).toBe(false);
  });
});

function i32leb(value: number): readonly number[] {
  return [(value % 128) | 128, (Math.floor(value / 128) % 128) | 128, Math.floor(value / 16_384)];
}

/** The module with a custom section of so many bytes behind it. */
function filled(module: Uint8Array, rest: number): Uint8Array {
  const out = new Uint8Array(module.length + 6 + rest);
  out.set(module);
  out.set(
    [
      0,
      (rest % 128) | 128,
      (Math.floor(rest / 128) % 128) | 128,
      (Math.floor(rest / 16_384) % 128) | 128,
      (Math.floor(rest / 2_097_152) % 128) | 128,
      0,
    ],
    module.length,
  );
  // Its name: none.
  out[module.length + 6] = 0;
  return out;
}
