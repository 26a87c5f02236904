// The page is a guest's house: nothing thrown here reaches it, nothing is written to its console.
const safe = (work) => function (...values) {
  try { return work.apply(this, values); } catch { return undefined; }
};
const attribute = (node, name) => node.getAttribute(name) || "";
const listen = (target, names, work) => {
  for (const name of names.split(" ")) target.addEventListener(name, safe(work), true);
};
