// Who somebody is never leaves the page readable: SHA-256 of the normalized value, as Meta wants it.
// Pages without https have no digests; they report the lead without saying who it is.
const SHA256 = /^[0-9a-f]{64}$/;
const hashOf = async (text) => {
  if (!text || SHA256.test(text)) return text;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
};
const plain = (raw) => String(raw || "").normalize("NFC").trim().toLowerCase();
const email = (raw) => {
  const text = plain(raw);
  return SHA256.test(text) || /^[^\s@<>,;]+@[^\s@<>,;]+\.[^\s@<>,;]+$/.test(text) ? text : "";
};
// The server's rules (model/identity.py) for what people type into a form.
const phone = (raw) => {
  const text = plain(raw);
  if (SHA256.test(text)) return text;
  let digits = text.replace(/\D/g, "");
  const international = text.startsWith("+") || digits.startsWith("00");
  const trunk = !international && digits.startsWith("0");
  digits = digits.replace(/^0+/, "").replace(/^550+/, "55");
  if (country === "BR" && !international) {
    const national = /^[1-9]\d(9\d{8}|[2-9]\d{7})$/;
    if (trunk && !national.test(digits)) digits = digits.slice(2); // the carrier's digits
    if (national.test(digits)) digits = "55" + digits;
    else if (trunk || digits.length < 10) return "";
  }
  // The ninth digit came to mobiles between 2012 and 2016.
  digits = digits.replace(/^(55[1-9]\d)([6-9]\d{7})$/, "$19$2");
  return digits.length < 7 || digits.length > 16 ? "" : digits;
};
const identityOf = async (about) => {
  const found = {};
  if (!crypto.subtle) return found;
  for (const [name, text] of [
    ["email_sha256", email(about.email)],
    ["phone_sha256", phone(about.phone)],
    ["external_id", plain(about.external_id)],
  ]) {
    if (text) found[name] = await hashOf(text);
  }
  return found;
};
