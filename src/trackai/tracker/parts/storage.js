// Cookies on the widest domain that the browser lets us have, and local storage or, without, memory.
const DAYS_90 = 7776000;
const readCookie = (name) => {
  const found = document.cookie.split("; ").find((part) => part.startsWith(name + "="));
  return found ? found.slice(name.length + 1) : "";
};
const writeCookie = (name, value, domain, seconds) => {
  document.cookie = name + "=" + value + "; path=/; SameSite=Lax; max-age=" + seconds +
    (domain ? "; domain=" + domain : "") + (location.protocol === "https:" ? "; Secure" : "");
};
// Public suffixes (com.br) refuse cookies, so the first that takes one is the registrable domain.
let cookieDomain = "";
const findDomain = () => {
  const labels = location.hostname.split(".");
  for (let from = labels.length - 2; from >= 0 && !cookieDomain; from--) {
    const domain = labels.slice(from).join(".");
    writeCookie("_trackai_d", 1, domain, 9);
    if (readCookie("_trackai_d")) cookieDomain = domain;
    writeCookie("_trackai_d", "", domain, 0);
  }
};
const keepCookie = (name, value) => {
  if (/^[!#-+\--:<-[\]-~]+$/.test(value)) writeCookie(name, value, cookieDomain, DAYS_90);
  return value;
};
// How many dots the cookie's domain has: Meta's "subdomain index".
const domainIndex = () => cookieDomain.split(".").length - 1;

let box;
try {
  box = localStorage;
  box.trackai = 1;
  delete box.trackai;
} catch {
  box = {};
}
