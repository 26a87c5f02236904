// What every page does: copying, the theme's switch, and leaving as it was what is replaced.
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-theme-switch]")) return;
  const root = document.documentElement;
  const dark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
  document.dispatchEvent(new Event("theme"));
});

// On a narrow screen the menu is a row longer than the screen: it shows where one is.
const menu = document.querySelector(".menu");
const here = menu?.querySelector("[aria-current]");
if (here) menu.scrollLeft = here.offsetLeft - (menu.clientWidth - here.offsetWidth) / 2;

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const shown = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(shown.textContent.trim());
    button.textContent = button.dataset.copied;
  } catch {
    // Not allowed here: it is marked, so that it can be copied by hand.
    getSelection().selectAllChildren(shown);
  }
});

// What is chosen is sent at once. With the arrow keys one passes over choices on the way: it is sent
// by Enter, or when the field is left (WCAG 3.2.2).
let key = null;
let passed = null;
const sendPassed = () => {
  const form = passed;
  passed = null;
  form?.requestSubmit();
};
document.addEventListener("pointerdown", () => (key = null));
document.addEventListener("keydown", (event) => {
  key = event.key;
  if (key !== "Enter" || !passed) return;
  event.preventDefault();
  sendPassed();
});
document.addEventListener("focusout", sendPassed);
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-submit-on-change]");
  if (!form) return;
  passed = form;
  if (!key || [" ", "Enter", "Tab"].includes(key)) sendPassed();
});

// On a telephone a row is a card: each of its cells says which column it is of.
const nameCells = () => {
  for (const table of document.querySelectorAll("table.rows:not([data-cells-named])")) {
    table.dataset.cellsNamed = "";
    const names = [...table.tHead.rows[0].cells].map((one) => (one.querySelector(".unseen") ? "" : one.textContent.trim()));
    for (const cell of table.querySelectorAll("td")) {
      if (names[cell.cellIndex] && cell.textContent.trim()) cell.dataset.named = names[cell.cellIndex];
    }
  }
};
document.addEventListener("htmx:afterSwap", nameCells);
nameCells();

// A file that would not be taken is not sent.
document.addEventListener("change", (event) => {
  const { most, tooLarge } = event.target.dataset;
  if (most) event.target.setCustomValidity(event.target.files[0]?.size > Number(most) ? tooLarge : "");
});

// A form that is on its way is not sent again by whoever is impatient: two keys, two test sales.
const ON_ITS_WAY_MS = 10000;
document.addEventListener("submit", (event) => {
  const { dataset, method } = event.target;
  const again = Date.now() - (dataset.sentAt ?? 0) < ON_ITS_WAY_MS;
  if (again || (dataset.confirm && !confirm(dataset.confirm))) return event.preventDefault();
  if (method === "post") dataset.sentAt = Date.now();
});
// Whoever comes back to a page sends its forms anew.
addEventListener("pageshow", () => document.querySelectorAll("[data-sent-at]").forEach((form) => delete form.dataset.sentAt));

// What is left until something happens is counted down.
setInterval(() => {
  for (const one of document.querySelectorAll("[data-left]")) {
    one.dataset.ends ??= Date.now() + one.dataset.left * 1000;
    const left = Math.max(0, Math.round((one.dataset.ends - Date.now()) / 1000));
    one.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  }
}, 1000);

// Nobody looks: nothing is asked for.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && event.detail.requestConfig.verb === "get") event.preventDefault();
});

// What a part is replaced by is as it was left: opened, scrolled, and under the keyboard.
const REACHED = "a[href], button, input, select, textarea, summary, [tabindex='0']";
const reached = () => {
  const times = new Map();
  return [...document.querySelectorAll(REACHED)].map((one) => {
    const name = one.getAttribute("href") ?? one.getAttribute("aria-label") ?? one.name ?? one.textContent.trim();
    const called = `${one.tagName} ${name}`;
    times.set(called, (times.get(called) ?? 0) + 1);
    return [`${called} ${times.get(called)}`, one];
  });
};
let left = { open: [], scrolled: [], focused: null };
document.addEventListener("htmx:beforeSwap", () => {
  const all = reached();
  left = {
    open: [...document.querySelectorAll("details[open][id]")].map((one) => one.id),
    scrolled: all.filter(([, one]) => one.scrollTop || one.scrollLeft).map(([name, one]) => [name, one.scrollTop, one.scrollLeft]),
    focused: all.find(([, one]) => one === document.activeElement)?.[0],
  };
});
document.addEventListener("htmx:afterSwap", () => {
  for (const id of left.open) document.getElementById(id)?.setAttribute("open", "");
  const now = new Map(reached());
  for (const [name, top, side] of left.scrolled) now.get(name)?.scrollTo({ top, left: side, behavior: "instant" });
  if (document.activeElement === document.body) now.get(left.focused)?.focus({ preventScroll: true });
});
