// The click of this browser: made once for each set of ad parameters, and carried from page to page
// in a cookie, so that a visitor who comes back without them is still the one who clicked.
const AD_IDS = ["fbclid", "gclid", "ttclid"];
const UTMS = ["source", "medium", "campaign", "content", "term"].map((name) => "utm_" + name);
const click = {};

// Not URLSearchParams: it makes "+" a blank, and ad ids are kept to the letter.
const inAddress = (name) => {
  const found = landing.match(new RegExp("[?&]" + name + "=([^&]*)"));
  let text = found ? found[1] : "";
  if (UTMS.includes(name)) text = text.replace(/\+/g, " ");
  try { text = decodeURIComponent(text); } catch { /* not encoded: as it is */ }
  if (UTMS.includes(name)) return text.replace(/\0/g, "").slice(0, 500);
  return /^[\x21-\x7e]{1,1000}$/.test(text) ? text : "";
};

const browserIds = (fbclid) => {
  const start = "fb." + domainIndex() + "." + Date.now() + ".";
  let fbc = readCookie("_fbc");
  // Meta's builder may have added a part of its own behind the id.
  if (fbclid && !(fbc + ".").includes("." + fbclid + ".")) fbc = keepCookie("_fbc", start + fbclid);
  const chance = crypto.getRandomValues(new Uint32Array(1))[0];
  click.fbp = readCookie("_fbp") || keepCookie("_fbp", start + (1e9 + chance));
  return fbc;
};

const takeClick = () => {
  // The page that was opened with them may lack the script: its address is this one's referrer.
  if (!landing && !click.id && !readCookie("_trackai") &&
    document.referrer.startsWith(location.origin + "/")) landing = document.referrer;
  const values = {};
  for (const name of [...AD_IDS, ...UTMS]) values[name] = inAddress(name);
  const ads = Object.values(values).join("");
  // A short name for these parameters, to know them again.
  let visit = 0;
  for (const char of ads) visit = (Math.imul(visit, 31) + char.charCodeAt(0)) >>> 0;
  const [id, before] = (click.id ? click.id + "." + click.visit : readCookie("_trackai")).split(".");
  const fbc = browserIds(values.fbclid);
  const known = OURS.test(id) && (!ads || visit == before);
  click.id = known ? id : makeId("c");
  click.visit = known ? before : visit;
  keepCookie("_trackai", click.id + "." + click.visit);
  if (!known) report("click", click.id, { ...values, fbc });
};
