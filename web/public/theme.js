// Before anything is drawn: the look that was chosen, if it was.
(function () {
  try {
    var theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch (e) {
    // No storage: as the system has it.
  }
})();
