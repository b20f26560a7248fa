// Fills the form of this number on the page that is open with texts that mean harm, and sends it. Calls back with the texts
// that it typed, as the browser holds them, or with null where there is no such form to fill.
//
// Days, numbers and addresses are given as their fields ask for them: what is wrong there is refused, and nothing is shown.
const [which, mark, texts] = arguments;
const form = [...document.forms].filter((f) => !f.action.endsWith("/sign-out") && f.method !== "dialog")[which];
if (!form) return null;
form.noValidate = true;
const typed = [];
let next = which;
for (const field of form.elements) {
  const kind = field.tagName === "TEXTAREA" ? "text" : field.type;
  if (kind === "checkbox") field.checked = true;
  else if (kind === "date") field.value = "2027-03-01";
  else if (kind === "number") field.value = "30";
  else if (kind === "url") field.value = "https://id.example";
  else if (kind === "text" || kind === "search") {
    if (field.inputMode === "numeric") field.value = "30";
    else {
      let text = `${mark}${typed.length} `;
      const most = Math.min(field.maxLength > 0 ? field.maxLength : 300, 300);
      while (true) {
        const more = texts[next % texts.length];
        const bytes = new TextEncoder().encode(text + more).length;
        if (bytes > most) break;
        text += `${more} `;
        next += 7;
      }
      field.value = text;
      typed.push([field.name, field.value]);
    }
  }
}
// What holds no text takes something away, or makes what is looked at elsewhere.
// What answers with a file leaves the page where it is.
if (!typed.length || /^\/(api|reports\/(?!fleet))/.test(form.getAttribute("action"))) return [form.getAttribute("action"), "none", []];
const buttons = [...form.elements].filter((e) => e.type === "submit" && e.value !== "list");
setTimeout(() => form.requestSubmit(buttons.at(-1)), 0);
return [form.getAttribute("action"), form.method, typed];
