// A toast stays until it is dismissed: what it offers must not vanish while somebody reads. Its address is tidied, so
// that a reload does not tell of it again.

const TOLD = ["did", "changed", "skipped", "at", "after", "through"];

export function watchToasts(root) {
  for (const toast of root.querySelectorAll("[data-toast]")) {
    const close = toast.querySelector("[data-close]");
    close.hidden = false;
    close.addEventListener("click", () => toast.remove());
    const address = new URL(location.href);
    TOLD.forEach((name) => address.searchParams.delete(name));
    history.replaceState(history.state, "", address);
  }
}
