/** @module Elements from plain values. Text goes in as text nodes only, so that nothing a file says can become markup. */

export interface Attributes {
  readonly class?: string;
  /** `data-*` attributes. */
  readonly data?: Readonly<Record<string, string>>;
  /** Any other attribute. */
  readonly set?: Readonly<Record<string, string>>;
}

export type Child = Node | string | undefined;

/** An element of this page. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes,
  children: readonly Child[] = [],
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (attributes.class !== undefined) made.className = attributes.class;
  for (const [name, value] of Object.entries(attributes.data ?? {})) made.dataset[name] = value;
  for (const [name, value] of Object.entries(attributes.set ?? {})) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/** Text of a file: apart from ours in looks, and its direction cannot reach beyond it. */
export function quoted(text: string): HTMLElement {
  return element('bdi', { class: 'quoted', set: { dir: 'ltr' } }, [text]);
}

/**
 * The element of the page's own markup with this id.
 * @throws {TypeError} where the markup and the script are not of one build.
 */
export function byId<K extends keyof HTMLElementTagNameMap>(tag: K, id: string): HTMLElementTagNameMap[K] {
  const found = document.getElementById(id);
  if (found?.localName !== tag) throw new TypeError(`the page has no ${tag} named ${id}`);
  // The tag was compared.
  return found as HTMLElementTagNameMap[K];
}
