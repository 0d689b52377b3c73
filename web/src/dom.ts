// Elements out of code. Text goes in as text nodes alone: what peers said is never markup.

type Child = Node | string | number | null | undefined | false | Child[];
type Listener = (event: never) => void;
type Props = Record<string, string | number | boolean | null | undefined | Listener>;

function set(element: Element, props: Props): void {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value as EventListener);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
}

function add(parent: Node, children: Child[]): void {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) add(parent, child);
    else parent.appendChild(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

// h("a", { href: "#/", class: "x", onclick: f }, "text", element, [more])
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props?: Props | null,
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (props) set(element, props);
  add(element, children);
  return element;
}

export function s<K extends keyof SVGElementTagNameMap>(
  tag: K,
  props?: Props | null,
  ...children: Child[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  if (props) set(element, props);
  add(element, children);
  return element;
}

export function fill(parent: Element, ...children: Child[]): void {
  parent.replaceChildren();
  add(parent, children);
}

// A stranger's words: their direction of writing stays theirs.
export function said(text: string | null | undefined, nothing = "–"): HTMLElement {
  return text === null || text === undefined || text === ""
    ? h("span", { class: "faint" }, nothing)
    : h("bdi", { class: "said" }, text);
}

// The policy forbids style attributes; properties set one by one are no such thing.
export function share(element: HTMLElement, part: number): HTMLElement {
  element.style.setProperty("--share", `${Math.max(0, Math.min(100, part * 100)).toFixed(2)}%`);
  return element;
}
