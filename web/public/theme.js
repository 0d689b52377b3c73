// Before anything is drawn: light or dark, as was chosen, or else as the system has it.
(function () {
  var root = document.documentElement;
  var system = matchMedia("(prefers-color-scheme: dark)");
  function look() {
    var theme = null;
    try {
      theme = localStorage.getItem("theme");
    } catch (e) {
      // No storage: as the system has it.
    }
    root.dataset.theme = theme === "light" || theme === "dark" ? theme : system.matches ? "dark" : "light";
    document.dispatchEvent(new Event("theme"));
  }
  system.addEventListener("change", look);
  look();
})();
