// Bars of the calendar are moved by pointer or by arrow keys. What is saved is asked by a form, like any other change;
// until then a bar only looks as if it were elsewhere.

const STEPS = { ArrowLeft: -1, ArrowRight: 1 };
const DRAG_PIXELS = 4;

watch(document);

function watch(root) {
  for (const each of root.querySelectorAll("[data-needs-script]")) each.hidden = false;
  const table = root.querySelector("[data-calendar]");
  const form = root.querySelector("[data-mover]");
  if (!table || !form) return;
  const told = root.querySelector("[data-told]");
  const columns = Number(table.dataset.days);
  let pending = null; // { bar, what, days }: what was moved, and is not saved

  function show(bar, what, days) {
    if (pending && pending.bar !== bar) reset();
    pending = days ? { bar, what, days } : null;
    bar.classList.toggle("moving", days !== 0);
    const first = Number(bar.dataset.first) + (what === "end" ? 0 : days);
    const last = Number(bar.dataset.first) + Number(bar.dataset.span) - 1 + days;
    const from = Math.min(Math.max(first, 1), columns);
    const to = Math.min(Math.max(last, from), columns);
    bar.style.gridColumn = days ? `${from} / span ${to - from + 1}` : "";
    label(bar, days ? words(what, days) : "");
    told.textContent = days ? `${words(what, days)}. Enter to save, Escape to put it back` : "Put back";
  }

  function reset() {
    if (!pending) return;
    const { bar } = pending;
    bar.classList.remove("moving");
    bar.style.gridColumn = "";
    label(bar, "");
    pending = null;
  }

  // While it is elsewhere the bar says how far; its own words come back with it.
  function label(bar, text) {
    const brief = bar.querySelector(".brief");
    brief.dataset.own ??= brief.textContent;
    brief.textContent = text || brief.dataset.own;
  }

  function save() {
    const { bar, what, days } = pending;
    const fields = { id: bar.dataset.id, revision: bar.dataset.revision, opens: bar.dataset.opens, closes: bar.dataset.closes, what, days };
    for (const [name, value] of Object.entries(fields)) form.elements[name].value = value;
    form.requestSubmit(form.querySelector("[data-act]"));
  }

  // The question is a dialog: when it closes and the page stays, nothing was saved.
  root.addEventListener(
    "close",
    () => {
      if (!pending) return;
      const { bar } = pending;
      reset();
      told.textContent = "Nothing was changed";
      bar.querySelector("a").focus();
    },
    true,
  );

  table.addEventListener("keydown", (event) => {
    const bar = event.target.closest(".spell[data-id]");
    if (!bar) return;
    if (event.key in STEPS && !event.altKey && !event.ctrlKey && !event.metaKey) {
      const what = event.shiftKey ? "end" : "move";
      if (what === "end" && !bar.dataset.closes) return;
      event.preventDefault();
      const before = pending?.bar === bar && pending.what === what ? pending.days : 0;
      show(bar, what, before + STEPS[event.key]);
    } else if (event.key === "Enter" && pending?.bar === bar) {
      event.preventDefault();
      save();
    } else if (event.key === "Escape" && pending?.bar === bar) {
      event.preventDefault();
      show(bar, pending.what, 0);
    }
  });
  table.addEventListener("focusout", (event) => {
    if (pending && event.relatedTarget?.closest(".spell") && !pending.bar.contains(event.relatedTarget)) reset();
  });

  table.addEventListener("pointerdown", (event) => {
    const bar = event.target.closest(".spell[data-id]");
    if (!bar || event.button !== 0 || getComputedStyle(bar.parentElement).display !== "grid") return;
    const what = event.target.closest("[data-grip]") ? "end" : "move";
    const width = bar.parentElement.clientWidth / columns;
    const start = event.clientX;
    let dragged = false;

    const move = (next) => {
      const pixels = next.clientX - start;
      if (!dragged && Math.abs(pixels) < DRAG_PIXELS) return;
      if (!dragged) bar.setPointerCapture(event.pointerId);
      dragged = true;
      let days = Math.round(pixels / width);
      if (what === "end") days = Math.max(days, 1 - Number(bar.dataset.span));
      show(bar, what, days);
      bar.classList.add("moving");
    };
    const stop = (last) => {
      bar.removeEventListener("pointermove", move);
      bar.removeEventListener("pointerup", stop);
      bar.removeEventListener("pointercancel", stop);
      if (!dragged) return;
      // A drag ends in a click on what it began on: that must not open the form.
      const swallow = (click) => click.preventDefault();
      bar.addEventListener("click", swallow, true);
      setTimeout(() => bar.removeEventListener("click", swallow, true));
      bar.classList.remove("moving");
      if (last.type === "pointercancel") reset();
      else if (pending) save();
    };
    bar.addEventListener("pointermove", move);
    bar.addEventListener("pointerup", stop);
    bar.addEventListener("pointercancel", stop);
  });
}

function words(what, days) {
  const many = Math.abs(days) === 1 ? "1 day" : `${Math.abs(days)} days`;
  return `${what === "end" ? "Ends" : "Moved"} ${many} ${days > 0 ? "later" : "earlier"}`;
}
