// trackai.track(...) and the rest; what was pushed before the script came is done now.
const KINDS = ["pageview", "lead", "initiate_checkout", "identify"];
const api = {
  track: (kind, about = {}) => {
    const id = about.event_id || makeId("e");
    if (!KINDS.includes(kind) || !granted()) return id;
    identityOf(about).catch(() => ({})).then(
      safe((found) => granted() && report(kind, id, kind === "pageview" ? {} : Object.assign(who, found))),
    );
    return id;
  },
  identify: (about) => api.track("identify", about),
  consent: (answer) => {
    const before = choice;
    choice = answer === "granted" ? answer : "denied";
    if (granted() && before !== choice) begin();
    if (!granted() && before === "granted") forget();
  },
  clickId: () => click.id || "",
  decorate: (address) => decorate(address) || address,
  // What the server sends of this sale: give it to the pixel, and Meta counts the sale once.
  eventId: (gateway, transaction) => gateway + ":" + transaction,
  push: (...calls) => { for (const [name, ...values] of calls) api[name](...values); },
};
for (const name of Object.keys(api)) api[name] = safe(api[name]);
const early = window.trackai;
window.trackai = api;

const whenSeen = () => {
  if (granted()) begin();
  else viewPage();
  if (Array.isArray(early)) api.push(...early);
};
// A page that is only rendered ahead has no visitor yet.
if (document.prerendering) listen(document, "prerenderingchange", whenSeen);
else whenSeen();
