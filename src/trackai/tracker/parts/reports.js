// Reports are noted before they are sent and forgotten when the server has them, or never will: what
// is lost on the way goes out with the next page. Every report has an id, so twice is once.
const PREFIX = "trackai:";
const MOST_KEPT = 30;
const MOST_AGE = 6048e5; // a week
const FINAL = [400, 413, 415, 422];
const PAUSE = 15000;
let timer;

const kept = () => Object.keys(box).filter((key) => key.startsWith(PREFIX)).sort();
const post = (key, first) => {
  const { what, body, at } = JSON.parse(box[key]);
  if (!(Date.now() - at < MOST_AGE)) return void delete box[key];
  // Firefox before 133 has no keepalive. A beacon outlives the page there, but tells no outcome: the
  // next page sends it again.
  if (first && !("keepalive" in Request.prototype)) return void navigator.sendBeacon(base + what, body);
  fetch(base + what, { method: "POST", body, keepalive: true, credentials: "omit" }).then(
    (answer) => {
      if (answer.ok || FINAL.includes(answer.status)) delete box[key];
      else again();
      window.dispatchEvent(new CustomEvent("trackai", { detail: { what, status: answer.status } }));
    },
    again,
  );
};
const flush = safe(() => {
  timer = 0;
  if (granted()) for (const key of kept().slice(0, MOST_KEPT)) safe(post)(key);
});
const again = () => {
  timer = timer || setTimeout(flush, PAUSE);
};
const report = (what, id, values) => {
  const body = { site_key: siteKey, funnel_id: funnelId, event_id: id, click_id: click.id,
    client_time: Date.now(), page_url: bare(location.href), referrer: bare(document.referrer),
    fbp: click.fbp, ...values };
  const key = PREFIX + id.slice(1) + id[0];
  const sent = JSON.stringify(body, (_, value) => value || undefined);
  const note = JSON.stringify({ what, at: Date.now(), body: sent });
  safe(() => { for (const old of kept().slice(0, 1 - MOST_KEPT)) delete box[old]; })();
  try { box[key] = note; } catch { box = { [key]: note }; } // full: memory will do
  safe(post)(key, true);
  return id;
};
const bare = (url) => url.split(/[?#]/)[0].slice(0, 2000);
