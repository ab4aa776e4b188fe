// The list of customizations changes in place when a filter does; the address says the same as it would without this.

import { Elsewhere, fetchPart } from "./parts.js";

const TYPING_MILLISECONDS = 250;
const MENU_FIELDS = new Set(["SELECT"]);

export function watchLists(root) {
  const list = root.querySelector("[data-part='list']");
  if (!list) return;
  let timer = 0;
  let asking = null;

  async function show(address, { push }) {
    asking?.abort();
    asking = new AbortController();
    const mine = asking;
    list.classList.add("busy");
    list.setAttribute("aria-busy", "true");
    try {
      const { ok, body } = await fetchPart(address, { signal: mine.signal });
      if (!ok) {
        location.assign(address);
        return;
      }
      replace(list, body);
      if (push) history.pushState(null, "", address);
      prepare(list);
    } catch (error) {
      if (error.name !== "AbortError" && !(error instanceof Elsewhere)) location.assign(address);
    } finally {
      if (asking === mine) {
        list.classList.remove("busy");
        list.removeAttribute("aria-busy");
      }
    }
  }

  const asked = (form) => {
    const pairs = [...new FormData(form)].filter(([name, value]) => value !== "" && !(name === "sort" && value === "-updated"));
    const query = new URLSearchParams(pairs).toString();
    return form.action + (query ? `?${query}` : "");
  };

  list.addEventListener("input", (event) => {
    const form = event.target.closest("[data-filters]");
    if (!form) return;
    clearTimeout(timer);
    const wait = MENU_FIELDS.has(event.target.tagName) ? 0 : TYPING_MILLISECONDS;
    timer = setTimeout(() => show(asked(form), { push: true }), wait);
  });
  list.addEventListener("submit", (event) => {
    const form = event.target.closest("[data-filters]");
    if (!form) return;
    event.preventDefault();
    clearTimeout(timer);
    show(asked(form), { push: true });
  });
  list.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-part-link]");
    if (!link || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    show(link.href, { push: true }).then(() => {
      if (link.rel) list.scrollIntoView({ block: "start" });
    });
  });
  list.addEventListener("change", (event) => {
    if (event.target.closest("[data-bulk]")) count(event.target);
  });
  addEventListener("popstate", () => show(location.href, { push: false }));
  prepare(list);
}

function replace(list, body) {
  // Whoever is typing goes on typing: at the same place of the new field, with what was typed since.
  const active = document.activeElement;
  const id = list.contains(active) ? active.id : "";
  const typed = active?.value;
  const caret = id && "selectionStart" in active ? active.selectionStart : null;
  list.replaceChildren(...body.childNodes);
  const again = id && document.getElementById(id);
  if (!again) return;
  if (again.tagName === "INPUT") again.value = typed;
  again.focus({ preventScroll: true });
  if (caret !== null && typeof again.setSelectionRange === "function") again.setSelectionRange(caret, caret);
}

function prepare(list) {
  for (const each of list.querySelectorAll("[data-needs-script]")) each.hidden = false;
  const bulk = list.querySelector("[data-bulk]");
  if (bulk) count(bulk);
}

function count(changed) {
  const form = changed.closest("[data-bulk]");
  const picks = [...form.querySelectorAll("input[name='pick']")];
  const every = form.querySelector("[data-every]");
  const all = form.querySelector("[data-all]");
  if (!every) return;
  if (changed === every) picks.forEach((each) => (each.checked = every.checked));
  if (changed === all) picks.forEach((each) => (each.checked = all.checked));
  else if (all && changed.name === "pick" && !changed.checked) all.checked = false;
  else if (all && changed === every && !every.checked) all.checked = false;
  const chosen = all?.checked ? Number(form.dataset.count) : picks.filter((each) => each.checked).length;
  every.checked = picks.length > 0 && picks.every((each) => each.checked);
  every.indeterminate = !every.checked && picks.some((each) => each.checked);
  form.querySelector("[data-chosen]").textContent = chosen ? `${chosen.toLocaleString("en")} chosen` : "";
  for (const button of form.querySelectorAll("[data-act], [data-goes]")) button.disabled = chosen === 0;
}
