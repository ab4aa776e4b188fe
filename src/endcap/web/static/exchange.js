// Says that something takes a while, and keeps a second click from asking for it twice.

for (const form of document.querySelectorAll("form[data-slow]")) {
  form.addEventListener("submit", () => {
    form.querySelector("[data-slow-said]").textContent = form.dataset.slow;
    // After the form's data was taken, so that the button's own value would still be in it.
    setTimeout(() => form.querySelectorAll("button").forEach((each) => (each.disabled = true)));
  });
}

// Whoever goes back finds the page as it was before it was sent.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-slow]")) {
    form.querySelector("[data-slow-said]").textContent = "";
    form.querySelectorAll("button").forEach((each) => (each.disabled = false));
  }
});
