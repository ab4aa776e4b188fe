// What a change would do is asked in a dialog instead of on a page of its own. Saying yes is an ordinary form.

import { Elsewhere, fetchPart } from "./parts.js";

export function watchQuestions(root) {
  root.addEventListener("submit", async (event) => {
    const button = event.submitter;
    if (!button?.matches("[data-act]")) return;
    event.preventDefault();
    const fields = new URLSearchParams([...new FormData(event.target, button)]);
    button.setAttribute("aria-busy", "true");
    try {
      const { body } = await fetchPart(button.formAction, { method: "POST", body: fields });
      ask(body, button);
    } catch (error) {
      if (!(error instanceof Elsewhere)) event.target.submit();
    } finally {
      button.removeAttribute("aria-busy");
    }
  });
}

function ask(body, button) {
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-labelledby", "confirm-title");
  dialog.append(...body.childNodes);
  const heading = dialog.querySelector("h1");
  if (heading) heading.id = "confirm-title";
  if (!dialog.querySelector("[data-cancel]")) {
    const back = document.createElement("button");
    back.type = "button";
    back.textContent = "Close";
    back.dataset.cancel = "";
    dialog.append(back);
  }
  dialog.addEventListener("click", (event) => {
    if (event.target.closest("[data-cancel]")) {
      event.preventDefault();
      dialog.close();
    }
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    button.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  dialog.querySelector("[data-cancel]").focus();
}
