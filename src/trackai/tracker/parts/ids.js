// Ids sort by time: 9 characters of milliseconds, 14 of chance.
const makeId = (prefix) => prefix + Date.now().toString(36).padStart(9, 0) +
  [...crypto.getRandomValues(new Uint8Array(14))].map((byte) => (byte % 36).toString(36)).join("");
// A click id of this script, or of the server.
const OURS = /^c[-\w]{22,23}$/;
