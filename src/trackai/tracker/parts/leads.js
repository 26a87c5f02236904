// Leads: forms that ask for it (data-trackai-lead), read when they are sent.
const FIELDS = {
  email: /e-?mail/i,
  phone: /phone|tel|cel|whats|fone|mobile/i,
};
const readForm = (form) => {
  const who = {};
  for (const field of form.elements) {
    const named = [field.type, field.name, field.id, field.autocomplete].join(" ");
    for (const kind of Object.keys(FIELDS)) {
      if (!who[kind] && /^(text|email|tel|search)?$/.test(field.type) && FIELDS[kind].test(named)) {
        who[kind] = field.value;
      }
    }
  }
  return who;
};
