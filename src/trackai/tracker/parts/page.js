// Consent, and what is listened to. Until consent is given nothing is stored, read or sent; the
// landing address waits in memory.
let choice = asked("consent") || "granted";
const granted = () => choice === "granted";
let landing = "";
let seen;
let who = {};
let started = 0;

const checkoutStarted = () => {
  // One click may open a link, run a script and navigate.
  if (Date.now() - started > 1000) report("initiate_checkout", makeId("e"), who);
  started = Date.now();
};
const viewPage = () => {
  const { pathname, search } = location;
  if (/[?&](fbclid|gclid|ttclid|utm_\w+)=/.test(search)) landing = search;
  if (!granted() || seen === pathname + search) return;
  seen = pathname + search;
  takeClick();
  report("pageview", makeId("e"));
};
const begin = () => {
  findDomain();
  viewPage();
  flush();
};
const forget = () => {
  findDomain();
  for (const name of ["_trackai", "_fbc", "_fbp"]) writeCookie(name, "", cookieDomain, 0);
  for (const key of kept()) delete box[key];
  for (const name of Object.keys(click)) delete click[name];
  who = {};
  seen = "";
};

const POINTED = "pointerdown mousedown touchstart keydown focusin contextmenu dragstart";
listen(document, POINTED, (event) => { if (granted()) event.composedPath().forEach(decorateNode); });
listen(document, "click auxclick", (event) => {
  if (granted() && event.button < 2 && event.composedPath().map(decorateNode).some(Boolean)) {
    checkoutStarted();
  }
});
listen(document, "submit", (event) => {
  if (!granted()) return;
  const form = event.target;
  if (form.hasAttribute("data-trackai-lead")) api.track("lead", readForm(form));
  if (decorateForm(form, event.submitter)) checkoutStarted();
});
// Scripts that open or go to a checkout by themselves.
const open = window.open;
window.open = function (address, ...rest) {
  const decorated = safe(() => granted() && address && decorate(address))();
  if (decorated) safe(checkoutStarted)();
  return open.call(this, decorated || address, ...rest);
};
if (window.navigation) {
  listen(window.navigation, "navigate", (event) => {
    const address = event.destination.url;
    const decorated = granted() && event.cancelable && !event.formData && decorate(address);
    if (decorated && decorated !== address) {
      event.preventDefault();
      checkoutStarted();
      location[event.navigationType === "replace" ? "replace" : "assign"](decorated);
    }
  });
}
// Pages that are one page: another address is another view. Some freeze their history.
for (const name of ["pushState", "replaceState"]) safe(() => {
  const original = history[name];
  history[name] = function (...values) {
    const result = original.apply(this, values);
    safe(viewPage)();
    return result;
  };
})();
listen(window, "popstate", viewPage);
listen(window, "online", flush);
listen(window, "pageshow", (event) => {
  if (event.persisted) seen = "";
  viewPage();
});
