/**
 * @module Calls of the computer-use tools of Anthropic (`computer_20241022`, `computer_20250124`) and OpenAI (`computer_call`) -> the kind of
 * action they are. A call of one of these tools whose action nobody knows gets a kind that no judge knows, and is denied.
 */
import { getOwn, isJsonObject, type JsonObject, type JsonValue } from '@countersign/kernel';
import { knownTool } from './tool-names.ts';

/** The part of an action that a door takes over; the tool keeps its name, because it is registered by it. */
interface ComputerAction {
  readonly kind: string;
  readonly params: JsonObject;
}

/** A call as the judge sees it. */
export interface KnownCall {
  readonly tool: string;
  readonly kind: string;
  readonly params: JsonValue;
}

type Device = 'keyboard' | 'mouse' | 'screen';

/** Wire names of the tools, lower case. */
const TOOLS: ReadonlySet<string> = new Set([
  'computer',
  'computer_use',
  'computer_20241022',
  'computer_20250124',
  'computer_call',
  'computer_use_preview',
  'computer-use-preview',
]);

const DEVICES: Readonly<Record<Device, readonly string[]>> = {
  keyboard: ['key', 'hold_key', 'type', 'keypress'],
  mouse: [
    'mouse_move',
    'left_click',
    'right_click',
    'middle_click',
    'double_click',
    'triple_click',
    'left_click_drag',
    'left_mouse_down',
    'left_mouse_up',
    'scroll',
    'click',
    'drag',
    'move',
  ],
  screen: ['screenshot', 'cursor_position', 'wait'],
};
const DEVICE_OF: ReadonlyMap<string, Device> = new Map(
  Object.entries(DEVICES).flatMap(([device, names]) => names.map((name) => [name, device as Device] as const)),
);

const NAME_CHARS_MAX = 32;

/** A kind that no judge knows, with the name it came by as far as a kind can hold it. */
function unknownAction(name: string, params: JsonObject): ComputerAction {
  return { kind: `custom.computer.${name.slice(0, NAME_CHARS_MAX).replaceAll(/[^A-Za-z0-9_]/g, '?')}`, params };
}

/** Anthropic names the action in `action`, beside its arguments; OpenAI puts both into an object of that name. */
function namedAction(params: JsonObject): { readonly name: string; readonly rest: JsonObject } | undefined {
  const action = getOwn(params, 'action');
  if (typeof action === 'string') return { name: action, rest: params };
  if (!isJsonObject(action)) return undefined;
  const name = getOwn(action, 'type');
  // What stands beside the action stays where it was, so that nothing of the call goes unseen.
  return typeof name === 'string' ? { name, rest: params } : undefined;
}

/** What a call of a computer-use tool is. Several actions in one call (`actions`) are refused: each is to be judged by itself. */
function computerAction(params: JsonValue): ComputerAction {
  if (!isJsonObject(params)) return unknownAction('malformed', {});
  if (getOwn(params, 'actions') !== undefined) return unknownAction('several', params);
  const named = namedAction(params);
  if (named === undefined) return unknownAction('malformed', params);
  const device = DEVICE_OF.get(named.name);
  if (device === undefined) return unknownAction(named.name, params);
  if (device === 'screen') return { kind: 'remote.screen', params };
  return { kind: 'input.inject', params: { ...params, input_type: device } };
}

/** What a call of a tool by its wire name is: as `knownTool` says, and by what it does where it is one of a computer-use tool. */
export function knownCall(wireName: string, params: JsonValue): KnownCall {
  const name = wireName.trim().toLowerCase();
  return TOOLS.has(name) ? { tool: name, ...computerAction(params) } : { ...knownTool(wireName), params };
}
