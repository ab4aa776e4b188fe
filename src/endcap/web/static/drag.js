// Products are dragged to slots and to the place of those that are never shown. Each drop is a move that a button does
// too. A finger drags after it has rested a moment, so that the page can still be scrolled.

const DISTANCE = 6;
const REST_MILLISECONDS = 350;
const EDGE = 48;
const STEP = 14;

export function watchDrags(root, move) {
  let drag = null;

  root.addEventListener("pointerdown", (event) => {
    const source = event.target.closest("[data-drag]");
    if (!source || event.button !== 0 || event.target.closest("button, a, input, select, textarea, summary")) return;
    drag = { source, x: event.clientX, y: event.clientY, pointer: event.pointerId, ghost: null, zone: null, timer: 0 };
    if (event.pointerType === "mouse") event.preventDefault(); // no text is chosen, no picture is dragged by the browser
    else drag.timer = setTimeout(() => drag && begin(drag, event), REST_MILLISECONDS);
  });
  addEventListener("pointermove", (event) => {
    if (!drag || event.pointerId !== drag.pointer) return;
    const far = Math.hypot(event.clientX - drag.x, event.clientY - drag.y) > DISTANCE;
    if (!drag.ghost && far) {
      if (drag.timer) return end(); // a finger that moves at once scrolls
      begin(drag, event);
    }
    if (drag?.ghost) follow(drag, event);
  });
  addEventListener("pointerup", (event) => {
    if (!drag || event.pointerId !== drag.pointer) return;
    const { source, zone, ghost } = drag;
    end();
    if (ghost && zone) drop(source, zone);
  });
  addEventListener("pointercancel", end);
  addEventListener("keydown", (event) => event.key === "Escape" && drag?.ghost && end());
  root.addEventListener("touchmove", (event) => drag?.ghost && event.preventDefault(), { passive: false });
  root.addEventListener("dragstart", (event) => event.target.closest("[data-drag]") && event.preventDefault());

  function begin(drag, event) {
    drag.timer = 0;
    const { width } = drag.source.getBoundingClientRect();
    drag.ghost = drag.source.cloneNode(true);
    drag.ghost.classList.add("ghost");
    drag.ghost.setAttribute("aria-hidden", "true");
    for (const each of drag.ghost.querySelectorAll("[id]")) each.removeAttribute("id");
    drag.ghost.style.width = `${Math.min(width, 180)}px`;
    document.body.append(drag.ghost);
    drag.source.classList.add("dragged");
    root.classList.add("dragging");
    follow(drag, event);
  }

  function follow(drag, event) {
    drag.ghost.style.transform = `translate(${event.clientX + 10}px, ${event.clientY + 10}px)`;
    scroll(event.clientY);
    const below = document.elementFromPoint(event.clientX, event.clientY);
    const zone = below?.closest(".slots.after > [data-slot], [data-never]") ?? null;
    if (zone === drag.zone) return;
    drag.zone?.classList.remove("over-it");
    zone?.classList.add("over-it");
    drag.zone = zone === drag.source ? null : zone;
  }

  // Near the upper and lower edge what can be scrolled is scrolled.
  function scroll(y) {
    const panel = root.querySelector(".editor-right");
    const { top, bottom } = panel.getBoundingClientRect();
    const low = Math.min(bottom, innerHeight) - EDGE;
    const high = Math.max(top, 0) + EDGE;
    const step = y > low ? STEP : y < high ? -STEP : 0;
    if (!step) return;
    if (panel.scrollHeight > panel.clientHeight) panel.scrollTop += step;
    else scrollBy(0, step);
  }

  function drop(source, zone) {
    const { identity, own } = source.dataset;
    if (zone.matches("[data-never]")) move(`never:${identity}`);
    else if (own !== undefined) move(`shift:${own}:${zone.dataset.slot}`);
    else move(`place:${zone.dataset.slot}:${identity}`);
  }

  function end() {
    if (!drag) return;
    clearTimeout(drag.timer);
    drag.ghost?.remove();
    drag.source.classList.remove("dragged");
    root.classList.remove("dragging");
    for (const each of root.querySelectorAll(".over-it")) each.classList.remove("over-it");
    drag = null;
  }
}
