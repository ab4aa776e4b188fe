// Fields that offer what there is: products by their titles, attributes, values. A combobox with a list, as the ARIA
// Authoring Practices have it: https://www.w3.org/WAI/ARIA/apg/patterns/combobox/

import { fetchPart } from "./parts.js";

const TYPING_MILLISECONDS = 120;
const LIST = "picker-list";

export function watchPickers(root) {
  let field = null;
  let popup = null;
  let timer = 0;
  let asking = null;
  let chosen = -1;

  const options = () => (popup ? [...popup.querySelectorAll("[role='option']")] : []);

  function prepare(input) {
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-expanded", "false");
    input.setAttribute("aria-haspopup", "listbox");
  }

  // Of values with commas the last one is being typed.
  const typed = (input) => (input.dataset.pick === "values" ? tail(input.value) : input.value.trim());
  const tail = (text) => text.slice(head(text).length).trim();
  const head = (text) => text.slice(0, text.lastIndexOf(",") + 1);

  async function offer(input) {
    asking?.abort();
    asking = new AbortController();
    const query = new URLSearchParams({ q: typed(input) });
    if (input.dataset.of) query.set("attribute", document.getElementById(input.dataset.of)?.value.trim() ?? "");
    const address = `${input.form.dataset.pickUrl}/${input.dataset.pick}?${query}`;
    try {
      const { ok, body } = await fetchPart(address, { signal: asking.signal });
      if (ok && document.activeElement === input) show(input, body);
    } catch {
      // an answer that nobody waits for any more, or none: the field works without
    }
  }

  function show(input, body) {
    close();
    const items = [...body.querySelectorAll("[data-value]")];
    const note = body.querySelector("p");
    if (!items.length && !note) return;
    popup = document.createElement("div");
    popup.className = "options";
    const list = document.createElement("ul");
    list.id = LIST;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", input.labels[0]?.textContent ?? "Offers");
    items.forEach((each, number) => {
      each.setAttribute("role", "option");
      each.setAttribute("aria-selected", "false");
      each.id = `${LIST}-${number}`;
      list.append(each);
    });
    if (items.length) popup.append(list);
    if (note) popup.append(note);
    input.parentElement.append(popup);
    field = input;
    place();
    chosen = -1;
    input.setAttribute("aria-expanded", String(items.length > 0));
    if (items.length) input.setAttribute("aria-controls", LIST);
  }

  // A field that only helps to fill another one, line by line.
  function append(input, value) {
    const lines = document.getElementById(input.dataset.append);
    lines.value = `${lines.value.trimEnd()}${lines.value.trim() ? "\n" : ""}${value}`;
    input.value = "";
    close();
    lines.dispatchEvent(new Event("input", { bubbles: true }));
  }

  // To the side on which there is room.
  function place() {
    if (!popup) return;
    popup.classList.remove("leftwards");
    const { right } = popup.getBoundingClientRect();
    popup.classList.toggle("leftwards", right > document.documentElement.clientWidth - 4);
  }

  function close() {
    clearTimeout(timer);
    popup?.remove();
    popup = null;
    field?.setAttribute("aria-expanded", "false");
    field?.removeAttribute("aria-activedescendant");
    field?.removeAttribute("aria-controls");
    field = null;
  }

  function choose(number) {
    const all = options();
    all[chosen]?.setAttribute("aria-selected", "false");
    chosen = (number + all.length) % all.length;
    all[chosen].setAttribute("aria-selected", "true");
    all[chosen].scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", all[chosen].id);
  }

  function take(option) {
    const input = field;
    const value = option.dataset.value;
    if (input.dataset.append) return append(input, value);
    input.value = input.dataset.pick === "values" ? `${head(input.value)}${head(input.value) ? " " : ""}${value}` : value;
    close();
    input.focus();
    input.dispatchEvent(new Event("input", { bubbles: true }));
    clearTimeout(timer);
    asking?.abort();
  }

  addEventListener("resize", place);
  root.addEventListener("focusin", (event) => {
    if (event.target.matches("[data-pick]")) prepare(event.target);
  });
  root.addEventListener("focusout", (event) => {
    if (event.target === field && !popup?.contains(event.relatedTarget)) close();
  });
  root.addEventListener("input", (event) => {
    const input = event.target;
    if (!input.matches("[data-pick]")) return;
    clearTimeout(timer);
    timer = setTimeout(() => offer(input), TYPING_MILLISECONDS);
  });
  root.addEventListener(
    "keydown",
    (event) => {
      const input = event.target;
      if (!input.matches?.("[data-pick]")) return;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        const step = event.key === "ArrowDown" ? 1 : -1;
        if (!options().length) offer(input).then(() => options().length && choose(step > 0 ? 0 : -1));
        else choose(chosen < 0 && step < 0 ? -1 : chosen + step);
      } else if (event.key === "Enter" && popup && chosen >= 0) {
        event.preventDefault();
        take(options()[chosen]);
      } else if (event.key === "Escape" && popup) {
        event.preventDefault();
        event.stopPropagation();
        close();
      }
    },
    true,
  );
  root.addEventListener("pointerdown", (event) => {
    const option = event.target.closest("[role='option']");
    if (!option || !popup?.contains(option)) return;
    event.preventDefault();
    take(option);
  });
}
