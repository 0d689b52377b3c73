// Light or dark, to be chosen. What it is at first is public/theme.js's, which runs before anything
// is drawn.
import { h } from "./dom.ts";

export function themeSwitch(): HTMLElement {
  const root = document.documentElement;
  const other = () => (root.dataset.theme === "dark" ? "light" : "dark");
  const button = h("button", {
    type: "button",
    class: "quiet theme",
    onclick: () => {
      root.dataset.theme = other();
      try {
        localStorage.setItem("theme", root.dataset.theme);
      } catch {
        // No storage: for this visit alone.
      }
      document.dispatchEvent(new Event("theme"));
    },
  });
  const tell = () => {
    button.textContent = other() === "dark" ? "☾" : "☀";
    button.setAttribute("aria-label", `${other()} colours`);
    button.title = `${other()} colours`;
  };
  document.addEventListener("theme", tell);
  tell();
  return button;
}
