// What the script tag says: data attributes, or the query of its address, because tag managers drop
// attributes. Reports go to where the script came from, so that a path of the customer's own works.
const element = document.currentScript || document.querySelector("script[src*='/t.'][src*='site_']");
const source = new URL(element.src, location.href);
const asked = (name) =>
  attribute(element, "data-" + name) || source.searchParams.get(name.replace("-", "_")) || "";
const siteKey = asked("site-key");
// Without a key there is nobody to report to; and once a page is enough.
if (!siteKey || (window.trackai && window.trackai.push !== [].push)) throw 0;
const funnelId = asked("funnel");
const country = asked("country") || "BR";
const home = asked("api") || source.origin + source.pathname.replace(/\/[^/]*$/, "");
const base = home + "/api/v1/track/";
