// Menus are <details>: one is open at a time, and Escape or a click elsewhere closes it.

export function watchMenus(root) {
  const open = () => root.querySelectorAll("details[data-menu][open]");

  root.addEventListener("click", (event) => {
    for (const menu of open()) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of open()) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
  root.addEventListener("focusin", (event) => {
    for (const menu of open()) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
}
