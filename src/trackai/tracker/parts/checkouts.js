// The click id goes into the addresses of checkouts, in the first parameter that the platform brings
// back and the customer has not used. When somebody points at a link, not before: links come late.
// Filled in by the server: name -> [hosts, parameters].
const GATEWAYS = "GATEWAYS";
const OWN_HOSTS = asked("hosts").split(/[\s,]+/).map((pair) => pair.split("="));

const parametersOf = (address, marked) => {
  const { hostname, protocol } = new URL(address, location.href);
  const isAt = (known) => known && ("." + hostname).endsWith("." + known);
  const own = OWN_HOSTS.find(([known]) => isAt(known));
  const name = marked || (own && own[1]) ||
    Object.keys(GATEWAYS).find((gateway) => GATEWAYS[gateway][0].some(isAt));
  return /^http/.test(protocol) && GATEWAYS[name] && GATEWAYS[name][1];
};
const isFree = (value) => !value || OURS.test(value);
const decorate = (address, marked) => {
  const parameters = parametersOf(address, marked);
  if (!parameters || !click.id) return "";
  const { href } = new URL(address, location.href);
  const [, start, hash] = href.match(/^([^#]*)(.*)$/);
  for (const name of parameters) {
    // By hand: URLSearchParams would write the customer's own parameters anew.
    const found = start.match(new RegExp("[?&]" + name + "(=([^&]*))?(?=&|$)"));
    const ours = name + "=" + click.id;
    if (!found) return start + (start.includes("?") ? "&" : "?") + ours + hash;
    if (isFree(found[2])) return start.replace(found[0], found[0][0] + ours) + hash;
  }
  return href;
};

const mark = (node) => attribute(node, "data-trackai");
const INSIDE = /https?:\/\/[^\s'"`<>\\)]+/g;
const decorateNode = (node) => {
  if (!node.getAttribute || mark(node) === "off") return false;
  let found = false;
  if (/^a(rea)?$/.test(node.localName) && attribute(node, "href")) {
    const address = decorate(node.href, mark(node));
    if (address && address !== node.href) node.href = address;
    found = Boolean(address);
  }
  // Buttons of page builders: onclick="location.href='https://pay...'", data-href="https://pay..."
  for (const name of ["onclick", "data-href", "data-url"]) {
    const text = attribute(node, name);
    const better = text.replace(INSIDE, (address) => {
      const decorated = decorate(address, mark(node));
      found = found || Boolean(decorated);
      return decorated || address;
    });
    if (better !== text) node.setAttribute(name, better);
  }
  return found;
};
const decorateForm = (form, button) => {
  const target = button && attribute(button, "formaction") ? button : form;
  const name = target === form ? "action" : "formaction";
  const address = mark(form) !== "off" && decorate(attribute(target, name), mark(form));
  if (!address) return false;
  if (/post/i.test((button && attribute(button, "formmethod")) || form.method)) {
    target.setAttribute(name, address);
    return true;
  }
  // The fields of a GET form replace the query of its address.
  for (const parameter of parametersOf(attribute(target, name), mark(form))) {
    let field = form.querySelector("[name=" + parameter + "]");
    if (!field) {
      field = form.appendChild(document.createElement("input"));
      field.type = "hidden";
      field.name = parameter;
    }
    if (isFree(field.value)) {
      field.value = click.id;
      break;
    }
  }
  return true;
};
