// The editor follows what is typed: it asks what shoppers would get and puts the answer beside the form. Buttons that
// move something are sent the same way, and the whole form comes back as they leave it. Nothing is saved but by saving.

import { Elsewhere, fetchPart } from "./parts.js";
import { watchDrags } from "./drag.js";
import { watchPickers } from "./picker.js";

const TYPING_MILLISECONDS = 150;
const SCENE = /^(s-|find$|csrf$|publish-at$)/;

const root = document.querySelector("[data-editor]");
if (root) edit(root);

function edit(root) {
  const form = () => root.querySelector("#editor-form");
  const moves = []; // one after the other, each over what the one before has left
  let timer = 0;
  let looking = null;
  let version = 0; // counts what was typed, so that an answer to something older is dropped
  let saving = null; // the button that was pressed while moves were on their way
  let leaving = false;
  const opened = said(form());
  let changed = form().hasAttribute("data-changed");

  function said(form) {
    return new URLSearchParams([...new FormData(form)].filter(([name]) => !SCENE.test(name))).toString();
  }

  async function ask(move, signal) {
    const fields = new URLSearchParams([...new FormData(form())]);
    if (move) fields.set("do", move);
    const { ok, body } = await fetchPart(`${form().dataset.url}/try`, { method: "POST", body: fields, signal });
    if (!ok) throw new Error(body.querySelector("h1")?.textContent ?? "It could not be asked");
    return body;
  }

  // What shoppers would get with what is typed now. Moves bring it along.
  async function look() {
    clearTimeout(timer);
    looking?.abort();
    if (moves.length) return;
    const mine = (looking = new AbortController());
    busy(true);
    try {
      const body = await ask("", mine.signal);
      if (looking === mine && !moves.length) fill(body);
    } catch (error) {
      refused(error);
    }
    if (looking === mine) {
      looking = null;
      busy(false);
    }
  }

  async function move(text) {
    if (moves.push(text) > 1) return;
    clearTimeout(timer);
    looking?.abort();
    busy(true);
    while (moves.length) {
      const asked = version;
      try {
        const body = await ask(moves[0]);
        if (asked !== version) continue; // somebody typed meanwhile: the same move, with what is there now
        swap(body.querySelector("[data-editor]") ?? body, moves[0]);
      } catch (error) {
        refused(error);
      }
      moves.shift();
    }
    busy(false);
    const button = saving && root.querySelector(`.save-bar button[value="${saving}"]`);
    saving = null;
    button?.click();
  }

  function busy(is) {
    const result = root.querySelector("#result");
    if (is) result.setAttribute("aria-busy", "true");
    else result.removeAttribute("aria-busy");
  }

  function refused(error) {
    if (error.name === "AbortError" || error instanceof Elsewhere) return;
    saving = null;
    const text = `${error instanceof TypeError ? "The server does not answer" : error.message}. What you typed is still here; try again.`;
    const notice = document.createElement("div");
    notice.className = "notice bad";
    notice.textContent = text;
    const result = root.querySelector("#result");
    result.querySelector(":scope > .notice.bad")?.remove();
    result.prepend(notice);
    tell(text);
  }

  function fill(body) {
    for (const piece of body.querySelectorAll("[data-fill]")) {
      const place = document.getElementById(piece.dataset.fill);
      if (!place || place.innerHTML.trim() === piece.innerHTML.trim()) continue;
      const held = focusOf(place);
      place.replaceChildren(...piece.childNodes);
      giveFocus(held);
    }
    const faults = new Map();
    const list = body.querySelector("[data-faults]");
    for (const term of list?.querySelectorAll("dt") ?? []) faults.set(term.textContent, term.nextElementSibling.textContent);
    for (const place of root.querySelectorAll(".fault")) {
      const text = faults.get(place.id.slice("fault-".length)) ?? "";
      if (place.textContent !== text) place.textContent = text;
      const field = root.querySelector(`[aria-describedby="${CSS.escape(place.id)}"]`);
      if (text) field?.setAttribute("aria-invalid", "true");
      else field?.removeAttribute("aria-invalid");
    }
  }

  function swap(body, move) {
    const held = focusOf(root);
    const open = new Set([...root.querySelectorAll("details[open] > summary")].map((each) => each.parentElement.className));
    const text = body.querySelector("#editor-said")?.textContent ?? "";
    root.replaceChildren(...body.childNodes);
    for (const each of root.querySelectorAll("details")) if (open.has(each.className)) each.open ||= !each.matches(".more");
    ready();
    changed = true;
    giveFocus(held, move);
    tell(text);
  }

  function tell(text) {
    const place = root.querySelector("#editor-said");
    place.textContent = "";
    requestAnimationFrame(() => (place.textContent = text));
  }

  function ready() {
    for (const each of root.querySelectorAll(".no-script")) each.hidden = true;
    for (const each of root.querySelectorAll(".needs-script")) each.hidden = false;
  }

  // Where the focus was, in words that still mean something when the page has changed.
  function focusOf(place) {
    const active = document.activeElement;
    if (!active || !place.contains(active) || active === document.body) return null;
    const card = active.closest("[data-identity]");
    const list = active.closest("#result, #palette, #never");
    const caret = active.matches("input:not([type]), input[type='search'], textarea") ? active.selectionStart : null;
    return { id: active.id, identity: card?.dataset.identity, list: list?.id, caret };
  }

  function giveFocus(held, move = "") {
    if (!held) return;
    const [word, number] = move.split(":");
    const moved = { up: Number(number) - 1, down: Number(number) + 1 }[word];
    const pins = root.querySelectorAll(".pin");
    const wanted = [];
    if (moved !== undefined) wanted.push(`#${word}-${moved}:not(:disabled)`, `#${word === "up" ? "down" : "up"}-${moved}:not(:disabled)`);
    if (word === "add") wanted.push(`[data-pin="${pins.length - 1}"] .by-item:not([hidden]) input`);
    if (held.identity && held.list) wanted.push(`#${held.list} [data-identity="${CSS.escape(held.identity)}"]`);
    if (held.id) wanted.push(`#${CSS.escape(held.id)}`);
    wanted.push("#pins-title");
    for (const selector of wanted) {
      const found = root.querySelector(selector);
      if (!found || !found.checkVisibility()) continue;
      if (found.tabIndex < 0) found.tabIndex = -1;
      found.focus({ preventScroll: true });
      if (document.activeElement !== found) continue;
      if (held.caret !== null && found.id === held.id) found.setSelectionRange?.(held.caret, held.caret);
      return;
    }
  }

  root.addEventListener("input", (event) => {
    version += 1;
    clearTimeout(timer);
    const isTyped = event.target.matches("input:not([type='checkbox']), textarea");
    timer = setTimeout(look, isTyped ? TYPING_MILLISECONDS : 0);
  });
  root.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (button?.name === "do" && ["save", "publish", "schedule"].includes(button.value)) {
      leaving = !moves.length;
      if (leaving) return;
      saving = button.value;
      event.preventDefault();
      return;
    }
    event.preventDefault();
    if (button?.dataset.move === undefined) look();
    else move(button.value);
  });
  root.addEventListener("keydown", (event) => {
    // Enter in a field shows the result; it neither saves nor presses whatever button comes first.
    if (event.key === "Enter" && event.target.matches("input") && !event.defaultPrevented) {
      event.preventDefault();
      look();
    }
  });
  addEventListener("beforeunload", (event) => {
    if (!leaving && (changed || said(form()) !== opened)) event.preventDefault();
  });
  addEventListener("pageshow", () => (leaving = false));

  watchPickers(root);
  watchDrags(root, move);
  ready();
}
