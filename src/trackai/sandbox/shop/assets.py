"""The shop's style sheet and own script, kept in the page: only the tracker script is fetched."""

import base64
import hashlib

STYLE = """
:root{--bg:#fbf6ef;--card:#fff;--ink:#2b1d14;--soft:#75665b;--line:#eadfd2;--brand:#8a3b12;
--brand-ink:#fff;--tint:#f5e6d6;--ok:#1f7a4d;--bad:#a32a1b}
*{box-sizing:border-box}html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--bg);color:var(--ink);
font:17px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif}
.wrap{max-width:980px;margin:0 auto;padding:0 1.25rem}
.top{display:flex;justify-content:space-between;align-items:center;padding:1.1rem 0}
.top b{font-size:1.1rem;letter-spacing:-.01em}.top a{color:var(--soft);font-size:.95rem}
.hero{display:grid;gap:2rem;grid-template-columns:1.15fr .85fr;align-items:center;
padding:2rem 0 2.5rem}
.kicker{margin:0 0 .6rem;color:var(--brand);font-weight:600;font-size:.95rem}
h1{margin:0 0 .8rem;font-size:clamp(1.9rem,5vw,3rem);line-height:1.12;letter-spacing:-.02em}
.lead{margin:0 0 1.2rem;color:var(--soft);font-size:1.12rem}
ul.points{margin:0;padding:0;list-style:none}
ul.points li{padding:.22rem 0 .22rem 1.7rem;position:relative}
ul.points li::before{content:"";position:absolute;left:.2rem;top:.72rem;width:.75rem;height:.4rem;
border:solid var(--ok);border-width:0 0 .16rem .16rem;transform:rotate(-45deg)}
.cup{width:min(100%,340px);margin:0 auto;display:block}
.card{background:var(--card);border:1px solid var(--line);border-radius:16px;padding:1.5rem;
box-shadow:0 10px 30px rgb(70 40 15/.06)}
.offer{display:flex;flex-wrap:wrap;justify-content:space-between;align-items:baseline;
gap:.2rem 1rem;margin:0 0 1rem}.offer h2{margin:0;font-size:1.2rem}
.price{font-size:1.7rem;font-weight:700;letter-spacing:-.02em}
.price small{font-size:.9rem;font-weight:400;color:var(--soft);letter-spacing:0}
.buy{display:grid;grid-template-columns:repeat(auto-fit,minmax(7.4rem,1fr));gap:.75rem}
.button{display:block;width:100%;padding:.85rem .5rem;border:0;border-radius:11px;
background:var(--brand);color:var(--brand-ink);font:inherit;font-weight:600;text-align:center;
text-decoration:none;cursor:pointer}.button:hover{filter:brightness(1.1)}
.button small{display:block;font-weight:400;opacity:.85}
.button.quiet{background:var(--tint);color:var(--brand)}
:focus-visible{outline:3px solid #d98c4a;outline-offset:2px}
.note{margin:1rem 0 0;color:var(--soft);font-size:.92rem}
details{margin:1.5rem 0 3rem;color:var(--soft);font-size:.95rem}summary{cursor:pointer}
dl{display:grid;grid-template-columns:minmax(7rem,auto) 1fr;gap:.35rem 1rem;margin:1rem 0 0}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
.narrow{max-width:520px;margin:1.2rem auto 3rem}.narrow h1{font-size:1.7rem}
label{display:block;margin:1rem 0 0;font-weight:600;font-size:.95rem}
input,select{display:block;width:100%;margin-top:.3rem;padding:.7rem .8rem;font:inherit;
font-weight:400;color:inherit;background:var(--bg);border:1px solid var(--line);border-radius:10px}
.narrow .button{margin-top:1.4rem}.ok{color:var(--ok)}.bad{color:var(--bad)}
.back{display:inline-block;margin-top:1.1rem;color:var(--soft)}
@media (max-width:720px){.hero{grid-template-columns:1fr;padding:1rem 0 1.8rem;gap:1.2rem}
.cup{width:190px;order:-1}.card{padding:1.15rem}dl{grid-template-columns:1fr;gap:.1rem}
dd{margin-bottom:.5rem}}
"""

CUP = (
    '<svg class="cup" viewBox="0 0 340 300" role="img" aria-hidden="true">'
    '<circle cx="165" cy="160" r="132" fill="#f5e6d6"/>'
    '<g fill="none" stroke="#c9a586" stroke-width="7" stroke-linecap="round">'
    '<path d="M130 92c-14-16 14-26 0-44"/><path d="M165 86c-14-16 14-28 0-50"/>'
    '<path d="M200 92c-14-16 14-26 0-44"/></g>'
    '<path d="M244 142h20c22 0 32 14 32 30s-14 32-36 32h-20" fill="none" stroke="#8a3b12" '
    'stroke-width="14"/><path d="M84 118h164v72c0 34-24 56-56 56h-52c-32 0-56-22-56-56z" '
    'fill="#8a3b12"/><ellipse cx="166" cy="118" rx="82" ry="17" fill="#5b260a"/>'
    '<ellipse cx="166" cy="121" rx="66" ry="11" fill="#2b1208"/>'
    '<path d="M60 258h212c0 12-14 18-30 18H90c-16 0-30-6-30-18z" fill="#c9a586"/></svg>'
)

# Shows what the tracker script made of the visit; a real page needs none of this.
LANDING_SCRIPT = """(() => {
"use strict";
const words = JSON.parse(document.getElementById("words").textContent);
const cookie = (name) => {
  const found = document.cookie.split("; ").find((part) => part.startsWith(`${name}=`));
  return found ? found.slice(name.length + 1) : "";
};
const show = (name, value) => {
  document.getElementById(`seen-${name}`).textContent = value || words.none;
};
window.addEventListener("trackai", (event) => {
  const { what, status } = event.detail;
  if (what === "click") show("sent", status === 201 ? words.yes : `${words.no} (${status})`);
  show("click", window.trackai.clickId());
  show("fbc", cookie("_fbc"));
  show("fbp", cookie("_fbp"));
});
})();"""


def csp_source(script: str) -> str:
    """Return what names this very script in a Content-Security-Policy."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
