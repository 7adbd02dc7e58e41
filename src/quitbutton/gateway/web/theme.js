// Sets the chosen colour scheme before the first paint; the stylesheet follows the system otherwise.
(() => {
  try {
    const theme = JSON.parse(localStorage.getItem("quitbutton.theme"));
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // Without storage the system's scheme is used.
  }
})();
